/** `millrace-encoder-tiny`: a two-layer transformer over hashed tokens, trained whole from random weights, and served. */
import type { Tensor } from "../dataTypes.ts";
import type { Node } from "../graph.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { createSession } from "../runtime/session.ts";
import { hashText, mix } from "../text/hashing.ts";
import { tokenize } from "../text/tokens.ts";
import { lengthBatches } from "../training/batches.ts";
import { resolveAuto } from "../training/learner.ts";
import type { Architecture, Classifier } from "./architectures.ts";
import { classifier, type EncoderConfig, encoderInputs, tinyEncoder } from "./encoder.ts";
import { createEncoderLearner } from "./encoderLearner.ts";

/** Rows of the token table. Without a vocabulary file any script has tokens; 16,384 keep collisions of frequent words rare. */
export const tinyConfig: EncoderConfig = { ...tinyEncoder, vocabulary: 16_384 };

/** Row 0 of the token table is for padding. */
const padding = 0;

/** Ids of a text's first `maxPositions` tokens; a text without tokens is one padding token. */
export function encodeTokens(text: string): Int32Array {
  const ids: number[] = [];
  for (const token of tokenize(text)) {
    ids.push(1 + (mix(hashText(token.text)) % (tinyConfig.vocabulary - 1)));
    if (ids.length === tinyConfig.maxPositions) break;
  }
  return Int32Array.from(ids.length ? ids : [padding]);
}

/** `input_ids` and `attention_mask`, int32 [texts, longest]. */
export function padBatch(texts: readonly Int32Array[]): Record<"input_ids" | "attention_mask", Tensor> {
  const longest = texts.reduce((most, { length }) => Math.max(most, length), 1);
  const shape = [texts.length, longest];
  const ids = new Int32Array(texts.length * longest).fill(padding);
  const mask = new Int32Array(texts.length * longest);
  for (const [row, text] of texts.entries()) {
    ids.set(text, row * longest);
    mask.fill(1, row * longest, row * longest + text.length);
  }
  return { input_ids: { shape, data: ids }, attention_mask: { shape, data: mask } };
}

/** The weights the architecture asks for, and its logits float32 [batch, classes]. */
export function encoderForward(classes: number): { logits: Node; parameters: readonly Node[] } {
  const scope = new WeightScope();
  const logits = classifier(scope, encoderInputs(), { ...tinyConfig, labels: classes });
  return { logits, parameters: scope.parameters };
}

export const encoderArchitecture: Architecture = {
  resolveHyperparameters: (requested, { rows }) =>
    resolveAuto(requested, {
      n_epochs: Math.max(2, Math.min(10, Math.round(60_000 / Math.max(rows, 1)))),
      batch_size: 32,
    }),
  createLearner: createEncoderLearner,
  createClassifier,
};

/** Of one call of a session, padding included; 32 of the longest texts. */
const inferenceTokens = 4096;

/** Logits [texts, classes] in the order of the texts, which are asked for by `run` with texts of like length together. */
export async function logitsOf(
  run: (batch: ReturnType<typeof padBatch>) => Promise<Record<string, Tensor>>,
  texts: readonly Int32Array[],
  classes: number,
): Promise<Float32Array> {
  const lengths = texts.map(({ length }) => length);
  const batches = lengthBatches({ lengths, tokenBudget: inferenceTokens, seed: 0 });
  const logits = new Float32Array(texts.length * classes);
  for (let batch = 0; batch < batches.perEpoch; batch++) {
    const rows = batches.rowsOf(batch);
    const found = (await run(padBatch(Array.from(rows, (row) => texts[row]!)))).logits!.data as Float32Array;
    rows.forEach((row, i) => {
      logits.set(found.subarray(i * classes, (i + 1) * classes), row * classes);
    });
  }
  return logits;
}

async function createClassifier(
  weights: ReadonlyMap<string, Tensor>,
  { classes, threads }: { classes: number; threads: number },
): Promise<Classifier> {
  const { logits } = encoderForward(classes);
  const initializers = Object.fromEntries([...weights].map(([name, { data }]) => [name, data]));
  const session = await createSession(toOnnx({ outputs: { logits }, initializers }), { threads });
  return {
    async classify(texts) {
      const encoded = texts.map(encodeTokens);
      const found = await logitsOf((batch) => session.run(batch), encoded, classes);
      return {
        logits: encoded.map((_, i) => found.slice(i * classes, (i + 1) * classes)),
        tokens: encoded.map((ids) => ids.length),
        known: encoded.map((ids) => ids[0] !== padding),
      };
    },
    release: () => session.release(),
  };
}
