/** The architectures that can be trained and served, by name. */
import type { Tensor } from "../dataTypes.ts";
import type {
  Learner,
  LearnerOptions,
  RequestedHyperparameters,
  ResolvedHyperparameters,
} from "../training/learner.ts";
import { encoderArchitecture } from "./encoderClassifier.ts";
import { ngramArchitecture } from "./ngramClassifier.ts";

export interface DatasetSize {
  /** Training rows. */
  rows: number;
  classes: number;
}

export interface ClassifierOutput {
  /** [classes] of each text. */
  logits: Float32Array[];
  /** Tokens read from each text. */
  tokens: number[];
  /** Whether a text holds anything the model has weights for. */
  known: boolean[];
}

export interface Classifier {
  classify(texts: readonly string[]): Promise<ClassifierOutput>;
  release(): Promise<void>;
}

export interface Architecture {
  /** Fills in what was left to `"auto"`. */
  resolveHyperparameters(requested: RequestedHyperparameters, size: DatasetSize): ResolvedHyperparameters;
  createLearner(options: LearnerOptions): Promise<Learner>;
  createClassifier(
    weights: ReadonlyMap<string, Tensor>,
    options: { classes: number; threads: number },
  ): Promise<Classifier>;
}

export const architectures = {
  ngram: ngramArchitecture,
  encoder: encoderArchitecture,
} as const satisfies Record<string, Architecture>;

export type ArchitectureName = keyof typeof architectures;
