/** What travels between a process and its device process. */
import type { BaseDirectory, TrainingEvent, TrainingRequest } from "../training/train.ts";

/** One text's answer. */
export interface Prediction {
  /** By label, summing to 1, temperature applied. */
  probabilities: number[];
  tokens: number;
  known: boolean;
}

export type DeviceRequest =
  | { type: "train"; request: TrainingRequest }
  /** Checkpoint after the running step, and end. */
  | { type: "stop" }
  /** `artifact` is the path of a model file, `base` of what it was tuned from; it stays loaded until it is unloaded. */
  | { type: "predict"; call: number; artifact: string; base: BaseDirectory | null; texts: string[] }
  | { type: "unload"; artifact: string };

export type DeviceReply =
  | { type: "training"; event: TrainingEvent }
  | { type: "trained" }
  | { type: "predicted"; call: number; labels: string[]; predictions: Prediction[] }
  /** `call` tells which prediction failed; without it, the training did. `code`: trying again is of no use. */
  | { type: "failed"; call?: number; code?: string; message: string };
