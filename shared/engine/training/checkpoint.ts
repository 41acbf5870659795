/** Checkpoints: everything a run needs to go on, in one safetensors file. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Tensor } from "../dataTypes.ts";
import type { RaceProgress } from "../race/progress.ts";
import { readSafetensors, writeSafetensors } from "../weights/safetensors.ts";
import type { StepRecord } from "./train.ts";

export interface CheckpointHead {
  /** Says which run this belongs to: architecture, labels, hyperparameters, seed. */
  run: string;
  /** Optimizer steps done. */
  step: number;
  tokens: number;
  history: StepRecord[];
  /** Of a race that precedes the training: how far it has come, or what came of it. */
  race?: RaceProgress;
}

export interface Checkpoint {
  head: CheckpointHead;
  /** Weights and optimizer state by name. */
  state: Record<string, Tensor>;
}

export class CheckpointError extends Error {
  override name = "CheckpointError";
}

/** The file appears whole or not at all. */
export function writeCheckpoint(path: string, head: CheckpointHead, state: Readonly<Record<string, Tensor>>): void {
  const unfinished = `${path}.part`;
  writeFileSync(unfinished, writeSafetensors(state, { checkpoint: JSON.stringify(head) }));
  renameSync(unfinished, path);
}

/** Throws CheckpointError for a file that is no checkpoint or one of another run. */
export function readCheckpoint(path: string, run: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(readFileSync(path));
  if (!metadata.checkpoint) throw new CheckpointError(`${path} is not a checkpoint`);
  const head = JSON.parse(metadata.checkpoint) as CheckpointHead;
  if (head.run !== run) throw new CheckpointError(`the checkpoint is of another run: ${head.run}, not ${run}`);
  return { head, state: Object.fromEntries(tensors) };
}
