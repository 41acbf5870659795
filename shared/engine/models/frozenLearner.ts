/** An imported base kept as it is, with a head fitted to its text vectors: nothing but the head is learned. */
import type { Tensor } from "../dataTypes.ts";
import type { LoraConfig } from "../layers/lora.ts";
import type { LabelledLogits } from "../training/evaluation.ts";
import type { Learner, LearnerOptions } from "../training/learner.ts";
import { adaptedGraph, adapterFor } from "./adaptedBase.ts";
import { createHeadFit, type Head, type HeadOptions, type HeadRows, headLogits } from "./logisticHead.ts";
import type { TextVectors } from "./textVectors.ts";

export interface OverVectors extends LearnerOptions {
  /** Of the base, which stay open. */
  readonly vectors: TextVectors;
  /** Of the head's penalty, see `HeadOptions`. */
  readonly strength: number;
  /** What the labels are called, as one says it; absent: not known. */
  readonly names?: readonly string[];
}

export async function createFrozenLearner(options: OverVectors): Promise<Learner> {
  const { train, valid, vectors, classes } = options;
  const fit = await createHeadFit(...(await headOverBase(options)));
  const held = await vectors.of(valid.texts);
  const tokens = train.texts.reduce((sum, text) => sum + vectors.encoder.encode(text).length, 0);
  const adapter = adapterFor(vectors.pretrained.model);
  return {
    totalSteps: fit.totalSteps,
    isEvaluated: (n) => n + 1 === fit.totalSteps,
    // The base reads each text once, whatever the head does with its vector.
    step: async (n) => ({ ...(await fit.step(n)), tokens: n === 0 ? tokens : 0 }),
    validate: async (): Promise<LabelledLogits> => ({
      logits: headLogits(fit.head(), held),
      labels: valid.labels,
      classes,
    }),
    state: fit.state,
    restore: fit.restore,
    adapter,
    weights: () => ({ ...noAdapter(vectors, adapter), ...headWeights(fit.head()) }),
    release: fit.release,
  };
}

/** What a head over the base as it is learns from. */
export async function headOverBase(options: OverVectors): Promise<[HeadRows, HeadOptions]> {
  const { train, vectors } = options;
  const rows = { vectors: await vectors.of(train.texts), labels: train.labels };
  const names = options.names && (await vectors.of(options.names));
  return [rows, { ...options, names, width: vectors.pretrained.model.hidden }];
}

/** A head as a model's file has it. */
export function headWeights({ weight, bias }: Head): Record<string, Tensor> {
  return {
    "classifier.weight": { shape: [bias.length, weight.length / bias.length], data: weight },
    "classifier.bias": { shape: [bias.length], data: bias },
  };
}

/** An adapter that changes nothing, for a model that is served as one that has one. */
function noAdapter({ pretrained }: TextVectors, adapter: LoraConfig): Record<string, Tensor> {
  const { lora } = adaptedGraph(pretrained, 1, adapter);
  return Object.fromEntries(
    lora.adapter.parameters.map(({ name, type }) => {
      const shape = type.shape as readonly number[];
      return [name!, { shape, data: new Float32Array(shape.reduce((product, side) => product * side, 1)) }];
    }),
  );
}
