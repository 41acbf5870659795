/** The training loop: an async generator of what happens, which never sees where its records and files go. */
import { join } from "node:path";
import { type ArchitectureName, architectures } from "../models/architectures.ts";
import type { ColumnKind } from "../tables/encoding.ts";
import { writeArtifact } from "./artifact.ts";
import { type Checkpoint, type CheckpointHead, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { evaluate, fitTemperature, type LabelledLogits } from "./evaluation.ts";
import { readExamples } from "./examples.ts";
import type { Learner, RequestedHyperparameters, ResolvedHyperparameters } from "./learner.ts";
import { fitThresholds } from "./thresholds.ts";

/** Where an imported base lies, and the digest that names its content. */
export interface BaseDirectory {
  directory: string;
  digest: string;
}

export interface TrainingRequest {
  architecture: ArchitectureName;
  /** An imported base; null where the architecture brings its own. */
  base: BaseDirectory | null;
  /** Prepared examples, see `readExamples`. */
  trainFile: string;
  validFile: string;
  labels: string[];
  /** Whether the validation rows may be learned from in the end: they were held out, not given. */
  refit: boolean;
  /** `"auto"` or absent: chosen by the architecture. */
  hyperparameters: RequestedHyperparameters;
  seed: number;
  threads: number;
  /** Where checkpoints and the model are written. */
  directory: string;
  /** A checkpoint to continue from. */
  checkpoint: string | null;
  /** Checkpoint after so many steps (0: never by steps) or seconds, whichever comes first. */
  checkpointSteps: number;
  checkpointSeconds: number;
}

/** Metrics after a step; validation fields only where the validation rows were judged. */
export interface StepRecord {
  step: number;
  train_loss: number;
  train_accuracy: number;
  valid_loss?: number;
  valid_accuracy?: number;
  valid_macro_f1?: number;
}

/** What a model of tables reads. */
export interface TableColumn {
  name: string;
  kind: ColumnKind;
}

export type TrainingEvent =
  | { type: "started"; step: number; totalSteps: number; hyperparameters: ResolvedHyperparameters }
  | { type: "refit"; rows: number }
  | { type: "step"; record: StepRecord; tokens: number }
  | { type: "checkpoint"; step: number; path: string; record: StepRecord | null }
  | { type: "finished"; path: string; history: StepRecord[]; tokens: number; columns?: TableColumn[] };

/**
 * Trains until done, or, when `signal` aborts, until the running step is done and a checkpoint of it is written.
 * Throws CheckpointError where `request.checkpoint` is of another run.
 */
export async function* train(request: TrainingRequest, signal: AbortSignal): AsyncGenerator<TrainingEvent> {
  const { learner, hyperparameters, rows } = await createLearner(request);
  const progress = resume(request, learner);
  const head = (step: number): CheckpointHead => ({ ...progress, run: runOf(request), step });
  try {
    yield { type: "started", step: progress.step, totalSteps: learner.totalSteps, hyperparameters };
    let checkpointedAt = Date.now();
    for (let step = progress.step; step < learner.totalSteps; step++) {
      if (step === learner.refitFrom) yield { type: "refit", rows };
      const record = await runStep(learner, step, progress);
      yield { type: "step", record, tokens: progress.tokens };
      const done = step + 1;
      if (signal.aborted || (done < learner.totalSteps && isDue(request, done, checkpointedAt))) {
        checkpointedAt = Date.now();
        yield { type: "checkpoint", step: done, path: save(request, head(done), learner), record };
      }
      if (signal.aborted) return;
    }
    const path = join(request.directory, "model.safetensors");
    writeArtifact(path, artifactConfig(request, learner, await learner.validate()), learner.weights());
    yield { type: "finished", path, history: progress.history, tokens: progress.tokens, ...columnsOf(learner) };
  } finally {
    await learner.release();
  }
}

function artifactConfig({ architecture, labels, base }: TrainingRequest, learner: Learner, held: LabelledLogits) {
  const ofBase = base && learner.adapter && { base: { digest: base.digest, adapter: learner.adapter } };
  const temperature = fitTemperature(held);
  const ofTable = learner.table && { table: learner.table };
  return { architecture, labels, temperature, thresholds: fitThresholds(held, temperature), ...ofBase, ...ofTable };
}

function columnsOf({ table }: Learner): { columns?: TableColumn[] } {
  return table ? { columns: table.encoding.columns.map(({ name, kind }) => ({ name, kind })) } : {};
}

async function createLearner({ architecture, ...request }: TrainingRequest) {
  const { resolveHyperparameters, createLearner: create } = architectures[architecture];
  const examples = { train: readExamples(request.trainFile), valid: readExamples(request.validFile) };
  const classes = request.labels.length;
  const hyperparameters = resolveHyperparameters(request.hyperparameters, {
    rows: examples.train.texts.length,
    classes,
  });
  const { seed, threads, refit } = request;
  const base = request.base?.directory ?? null;
  const learner = await create({ ...examples, classes, base, hyperparameters, seed, threads, refit });
  return { hyperparameters, learner, rows: examples.train.texts.length + examples.valid.texts.length };
}

interface Progress {
  step: number;
  tokens: number;
  history: StepRecord[];
}

function resume(request: TrainingRequest, learner: Learner): Progress {
  if (!request.checkpoint) return { step: 0, tokens: 0, history: [] };
  const { head, state }: Checkpoint = readCheckpoint(request.checkpoint, runOf(request));
  learner.restore(state);
  return { step: head.step, tokens: head.tokens, history: head.history };
}

/**
 * What must be equal for a checkpoint to belong to a run. Not the number of threads: a run that goes on with another one
 * differs in its last bits, which is better than not going on.
 */
function runOf({ architecture, base, labels, hyperparameters, seed, refit }: TrainingRequest): string {
  return JSON.stringify({ architecture, base: base?.digest, labels, hyperparameters, seed, refit });
}

async function runStep(learner: Learner, step: number, progress: Progress): Promise<StepRecord> {
  const { loss, accuracy, tokens } = await learner.step(step);
  const record: StepRecord = { step: step + 1, train_loss: loss, train_accuracy: accuracy };
  if (learner.isEvaluated(step)) Object.assign(record, await validation(learner));
  progress.tokens += tokens;
  progress.history.push(record);
  return record;
}

async function validation(learner: Learner): Promise<Partial<StepRecord>> {
  const held = await learner.validate();
  if (!held.labels.length) return {};
  const { loss, accuracy, macroF1 } = evaluate(held);
  return { valid_loss: loss, valid_accuracy: accuracy, valid_macro_f1: macroF1 };
}

function isDue({ checkpointSteps, checkpointSeconds }: TrainingRequest, done: number, since: number): boolean {
  return (checkpointSteps > 0 && done % checkpointSteps === 0) || Date.now() - since >= checkpointSeconds * 1000;
}

function save(request: TrainingRequest, head: CheckpointHead, learner: Learner): string {
  const path = join(request.directory, `checkpoint-${head.step}.safetensors`);
  writeCheckpoint(path, head, learner.state());
  return path;
}
