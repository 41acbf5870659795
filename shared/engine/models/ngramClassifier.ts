/** `millrace-ngram`: hashed word and character n-grams into a sparse linear classifier, trained and served. */
import type { Tensor } from "../dataTypes.ts";
import { createSession } from "../runtime/session.ts";
import { type NgramBag, ngrams } from "../text/ngrams.ts";
import { vectorizer } from "../text/vocabulary.ts";
import { resolveAuto } from "../training/learner.ts";
import { createBatcher, RowTable } from "../training/sparseBatch.ts";
import type { StoredTensor } from "../weights/safetensors.ts";
import type { Architecture, Classifier, ClassifierOptions } from "./architectures.ts";
import { BATCH_SIZE, epochs } from "./ngram.recipe.ts";
import { ngramForward, place } from "./ngram.ts";
import { createNgramLearner } from "./ngramLearner.ts";

/** Texts run together; more save little and take memory. */
const servedBatch = 64;

export const ngramArchitecture: Architecture = {
  resolveHyperparameters: (requested, { rows }) =>
    resolveAuto(requested, { n_epochs: epochs(rows), batch_size: BATCH_SIZE }),
  createLearner: createNgramLearner,
  createClassifier,
};

/** Weights are stored in half precision: what it rounds off is far below what tells labels apart. */
export function storedWeights(tensors: {
  buckets: Uint32Array;
  scales: Float32Array;
  weight: Float32Array;
  bias: Float32Array;
}): Record<string, StoredTensor> {
  const features = tensors.buckets.length;
  const classes = tensors.bias.length;
  const half = new Uint16Array(new Float16Array(tensors.weight).buffer);
  return {
    buckets: { shape: [features], data: tensors.buckets },
    scales: { shape: [features], data: tensors.scales },
    weight: { shape: [features, classes], data: half, dataType: "float16" },
    bias: { shape: [classes], data: tensors.bias },
  };
}

/** What `storedWeights` stored, to compute with. */
export function storedVectors(weights: ReadonlyMap<string, Tensor>) {
  return {
    buckets: weights.get("buckets")!.data as Uint32Array,
    scales: weights.get("scales")!.data as Float32Array,
    /** Row-major [features, classes]. */
    weight: fromHalf(weights.get("weight")!),
    bias: weights.get("bias")!.data as Float32Array,
  };
}

function fromHalf(stored: Tensor): Float32Array {
  const { buffer, byteOffset, length } = stored.data as Uint16Array;
  return new Float32Array(new Float16Array(buffer as ArrayBuffer, byteOffset, length));
}

async function createClassifier(
  weights: ReadonlyMap<string, Tensor>,
  { classes, threads }: ClassifierOptions,
): Promise<Classifier> {
  const { buckets, scales, weight, bias: biases } = storedVectors(weights);
  const toRow = vectorizer({ buckets, scales });
  const table = new RowTable(buckets.length, classes, weight);
  const bias = { shape: [classes], data: biases };
  const batch = createBatcher(buckets.length);
  const session = await createSession(ngramForward(classes), { ...place, threads });

  const classifyBatch = async (bags: readonly NgramBag[]) => {
    const rows = bags.map(toRow);
    const { touched, x } = batch(rows);
    const { logits } = await session.run({ x, weight: table.gather(touched), bias });
    const data = logits!.data as Float32Array;
    return rows.map((row, i) => {
      return {
        logits: data.slice(i * classes, (i + 1) * classes),
        known: row.indices.length > 0,
        tokens: bags[i]!.tokens,
      };
    });
  };

  return {
    async classify(texts) {
      const answers = [];
      for (let start = 0; start < texts.length; start += servedBatch) {
        answers.push(...(await classifyBatch(texts.slice(start, start + servedBatch).map(ngrams))));
      }
      return {
        logits: answers.map(({ logits }) => logits),
        tokens: answers.map(({ tokens }) => tokens),
        known: answers.map(({ known }) => known),
      };
    },
    release: () => session.release(),
  };
}
