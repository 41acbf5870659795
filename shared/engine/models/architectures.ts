/** The architectures that can be trained and served, by name. */
import type { Tensor } from "../dataTypes.ts";
import type {
  Learner,
  LearnerOptions,
  RequestedHyperparameters,
  ResolvedHyperparameters,
} from "../training/learner.ts";
import { adaptedArchitecture } from "./adaptedClassifier.ts";
import { encoderArchitecture } from "./encoderClassifier.ts";
import { ngramArchitecture } from "./ngramClassifier.ts";
import { tabularArchitecture } from "./tabularClassifier.ts";
import type { TableConfig } from "./tabularModels.ts";

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

export interface ClassifierOptions {
  classes: number;
  threads: number;
  /** Of a model of tables. */
  table?: TableConfig | undefined;
}

export interface Architecture {
  /** Fills in what was left to `"auto"`. */
  resolveHyperparameters(requested: RequestedHyperparameters, size: DatasetSize): ResolvedHyperparameters;
  createLearner(options: LearnerOptions): Promise<Learner>;
  /** Of a model that stands alone; those over an imported base are read through it (`resident/`). */
  createClassifier?(weights: ReadonlyMap<string, Tensor>, options: ClassifierOptions): Promise<Classifier>;
}

/** Its n-grams, that is; what a base adds to them is read through the base. It comes of a race, see `race/`. */
const hybridArchitecture: Architecture = {
  ...ngramArchitecture,
  createLearner: async () => {
    throw new TypeError("a model of two parts is trained by a race");
  },
};

export const architectures = {
  ngram: ngramArchitecture,
  hybrid: hybridArchitecture,
  encoder: encoderArchitecture,
  pretrained: adaptedArchitecture,
  tabular: tabularArchitecture,
} as const satisfies Record<string, Architecture>;

export type ArchitectureName = keyof typeof architectures;
