/** What an architecture must offer to be trained, and what it leaves behind. */
import type { Tensor } from "../dataTypes.ts";
import type { LoraConfig } from "../layers/lora.ts";
import type { TableConfig } from "../models/tabularModels.ts";
import type { StoredTensor } from "../weights/safetensors.ts";
import type { LabelledLogits } from "./evaluation.ts";
import type { Examples } from "./examples.ts";

/** `"auto"` replaced by numbers. */
export interface ResolvedHyperparameters {
  n_epochs: number;
  /** Rows per optimizer step. */
  batch_size: number;
  learning_rate_multiplier: number;
}

export type RequestedHyperparameters = { [Name in keyof ResolvedHyperparameters]?: number | "auto" };

/** What was asked for, and the architecture's own choice where that is `"auto"` or nothing. */
export function resolveAuto(
  requested: RequestedHyperparameters,
  chosen: Omit<ResolvedHyperparameters, "learning_rate_multiplier">,
): ResolvedHyperparameters {
  const { n_epochs = "auto", batch_size = "auto", learning_rate_multiplier = "auto" } = requested;
  return {
    n_epochs: n_epochs === "auto" ? chosen.n_epochs : n_epochs,
    batch_size: batch_size === "auto" ? chosen.batch_size : batch_size,
    learning_rate_multiplier: learning_rate_multiplier === "auto" ? 1 : learning_rate_multiplier,
  };
}

export interface LearnerOptions {
  train: Examples;
  /** May be empty. */
  valid: Examples;
  /** Whether the validation rows were held out of the training file, and may be learned from once they have been judged by. */
  refit: boolean;
  classes: number;
  /** Directory of the imported base that is tuned; null where the architecture brings its own. */
  base: string | null;
  hyperparameters: ResolvedHyperparameters;
  seed: number;
  threads: number;
}

export interface StepResult {
  /** Mean over the batch, in nats. */
  loss: number;
  /** Share of the batch answered right. */
  accuracy: number;
  /** Tokens read, padding not counted. */
  tokens: number;
}

/**
 * A model on its way. Step `n` is a pure function of the state and `n`, so that a run cut anywhere and taken up from its
 * state ends in the same bits.
 */
export interface Learner {
  readonly totalSteps: number;
  /** First step of learning afresh from all rows, the held-out ones too; absent where no such phase comes. */
  readonly refitFrom?: number;
  /** Steps after which the validation rows are judged. */
  isEvaluated(step: number): boolean;
  step(step: number): Promise<StepResult>;
  /** Logits of the validation rows by weights that have not learned from them. */
  validate(): Promise<LabelledLogits>;
  /** Everything the next step depends on: weights and optimizer state. */
  state(): Record<string, Tensor>;
  restore(state: Readonly<Record<string, Tensor>>): void;
  /** The adapter that is trained beside a base, where there is one. */
  readonly adapter?: LoraConfig;
  /** The columns of the table learned from, and the model chosen for it, where it is a table. Known once judged. */
  readonly table?: TableConfig;
  /** What serving needs, and nothing else. */
  weights(): Record<string, StoredTensor>;
  release(): Promise<void>;
}
