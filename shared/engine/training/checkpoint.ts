/** Checkpoints: everything a run needs to go on, in one safetensors file. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** Where a run keeps what it makes, and how often. */
export interface CheckpointPlan {
  /** Where checkpoints and what comes of the run are written. */
  directory: string;
  /** A checkpoint to continue from. */
  checkpoint: string | null;
  /** Checkpoint after so many steps (0: never by steps) or seconds, whichever comes first. */
  checkpointSteps: number;
  checkpointSeconds: number;
}

/** Whether it is time, `done` steps being made and the last one being of the time `since`. */
export function isCheckpointDue(
  { checkpointSteps, checkpointSeconds }: CheckpointPlan,
  done: number,
  since: number,
): boolean {
  return (checkpointSteps > 0 && done % checkpointSteps === 0) || Date.now() - since >= checkpointSeconds * 1000;
}

/** Written under its step, in the run's directory: tells where. */
export function saveCheckpoint(
  { directory }: Pick<CheckpointPlan, "directory">,
  head: CheckpointHead,
  state: Readonly<Record<string, Tensor>>,
): string {
  const path = join(directory, `checkpoint-${head.step}.safetensors`);
  writeCheckpoint(path, head, state);
  return path;
}

/** Throws CheckpointError for a file that is no checkpoint or one of another run. */
export function readCheckpoint(path: string, run: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(readFileSync(path));
  if (!metadata.checkpoint) throw new CheckpointError(`${path} is not a checkpoint`);
  const head = JSON.parse(metadata.checkpoint) as CheckpointHead;
  if (head.run !== run) throw new CheckpointError(`the checkpoint is of another run: ${head.run}, not ${run}`);
  return { head, state: Object.fromEntries(tensors) };
}
