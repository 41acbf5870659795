/** The training loop: an async generator of what happens, which never sees where its records and files go. */
import { join } from "node:path";
import { type ArchitectureName, architectures } from "../models/architectures.ts";
import type { RaceProgress } from "../race/progress.ts";
import type { RaceReport } from "../race/report.ts";
import { chooseTraining, type RaceRows } from "../race/training.ts";
import type { ColumnKind } from "../tables/encoding.ts";
import { type ArtifactConfig, writeArtifact } from "./artifact.ts";
import {
  type Checkpoint,
  type CheckpointHead,
  type CheckpointPlan,
  isCheckpointDue,
  readCheckpoint,
  saveCheckpoint,
} from "./checkpoint.ts";
import { evaluate, fitTemperature, type LabelledLogits } from "./evaluation.ts";
import { readExamples } from "./examples.ts";
import type { Learner, RequestedHyperparameters, ResolvedHyperparameters } from "./learner.ts";
import { fitThresholds } from "./thresholds.ts";

/** Where an imported base lies, and the digest that names its content. */
export interface BaseDirectory {
  directory: string;
  digest: string;
}

export interface TrainingRequest extends CheckpointPlan {
  /** `auto`: whichever of several does best, see `race/`. */
  architecture: ArchitectureName | "auto";
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
  | { type: "race"; field: { rows: number; folds: number }; hasBase: boolean; finished: string[] }
  | { type: "entrant"; path: string; entrant: Entrant }
  | { type: "decided"; report: RaceReport }
  | { type: "started"; step: number; totalSteps: number; hyperparameters: ResolvedHyperparameters }
  | { type: "refit"; rows: number }
  | { type: "step"; record: StepRecord; tokens: number }
  | { type: "checkpoint"; step: number; path: string; record: StepRecord | null }
  | { type: "finished"; path: string; history: StepRecord[]; tokens: number; columns?: TableColumn[]; race?: RaceEnd };

/** Whoever has come in, by rows that they did not learn from; `path` is of a checkpoint that knows of it. */
export interface Entrant {
  name: string;
  accuracy: number;
  judged: number;
  seconds: number;
  /** On a part of the way, to see who goes on. */
  isHeat: boolean;
}

export interface RaceEnd {
  report: RaceReport;
  /** Whether the model is over the base that was raced with. */
  usesBase: boolean;
}

/** What is to be trained, and what its file says. */
export interface Training {
  learner: Learner;
  hyperparameters: ResolvedHyperparameters;
  rows: number;
  config(): Promise<ArtifactConfig>;
  /** Kept in each checkpoint. */
  race?: RaceProgress;
  report?: RaceReport;
}

/**
 * Trains until done, or, when `signal` aborts, until the running step is done and a checkpoint of it is written.
 * Throws CheckpointError where `request.checkpoint` is of another run.
 */
export async function* train(request: TrainingRequest, signal: AbortSignal): AsyncGenerator<TrainingEvent> {
  const examples = { train: readExamples(request.trainFile), valid: readExamples(request.validFile) };
  const resumed = request.checkpoint ? readCheckpoint(request.checkpoint, runOf(request)) : null;
  const begun = { run: runOf(request), step: 0, tokens: 0, history: [] };
  const { architecture } = request;
  const training =
    architecture === "auto"
      ? yield* chooseTraining(request, examples, resumed, begun, signal)
      : await createTraining({ ...request, architecture }, examples);
  if (!training) return;
  const { learner, hyperparameters, race } = training;
  const progress: Progress = resumed && isOfLearner(resumed) ? resume(resumed, learner) : { ...begun };
  const head = (step: number): CheckpointHead => ({ ...progress, ...(race && { race }), run: begun.run, step });
  try {
    yield { type: "started", step: progress.step, totalSteps: learner.totalSteps, hyperparameters };
    let checkpointedAt = Date.now();
    for (let step = progress.step; step < learner.totalSteps; step++) {
      if (step === learner.refitFrom) yield { type: "refit", rows: training.rows };
      const record = await runStep(learner, step, progress);
      yield { type: "step", record, tokens: progress.tokens };
      const done = step + 1;
      if (signal.aborted || (done < learner.totalSteps && isCheckpointDue(request, done, checkpointedAt))) {
        checkpointedAt = Date.now();
        yield { type: "checkpoint", step: done, path: saveCheckpoint(request, head(done), learner.state()), record };
      }
      if (signal.aborted) return;
    }
    const path = join(request.directory, "model.safetensors");
    const config = await training.config();
    writeArtifact(path, config, learner.weights());
    const { history, tokens } = progress;
    yield { type: "finished", path, history, tokens, ...columnsOf(learner), ...raceEnd(training, config) };
  } finally {
    await learner.release();
  }
}

/** A checkpoint from within a race has nothing of a learner. */
const isOfLearner = ({ head }: Checkpoint) => !head.race || head.race.outcome !== undefined;

function raceEnd({ report }: Training, { base }: ArtifactConfig): { race?: RaceEnd } {
  return report ? { race: { report, usesBase: base !== undefined } } : {};
}

type PlainRequest = TrainingRequest & { architecture: ArchitectureName };

function artifactConfig({ architecture, labels, base }: PlainRequest, learner: Learner, held: LabelledLogits) {
  const ofBase = base && learner.adapter && { base: { digest: base.digest, adapter: learner.adapter } };
  const temperature = fitTemperature(held);
  const ofTable = learner.table && { table: learner.table };
  return { architecture, labels, temperature, thresholds: fitThresholds(held, temperature), ...ofBase, ...ofTable };
}

function columnsOf({ table }: Learner): { columns?: TableColumn[] } {
  return table ? { columns: table.encoding.columns.map(({ name, kind }) => ({ name, kind })) } : {};
}

async function createTraining(request: PlainRequest, examples: RaceRows): Promise<Training> {
  const { resolveHyperparameters, createLearner: create } = architectures[request.architecture];
  const classes = request.labels.length;
  const size = { rows: examples.train.texts.length, classes };
  const hyperparameters = resolveHyperparameters(request.hyperparameters, size);
  const { seed, threads, refit } = request;
  const base = request.base?.directory ?? null;
  const learner = await create({ ...examples, classes, base, hyperparameters, seed, threads, refit });
  return {
    ...{ learner, hyperparameters, rows: examples.train.texts.length + examples.valid.texts.length },
    config: async () => artifactConfig(request, learner, await learner.validate()),
  };
}

interface Progress {
  step: number;
  tokens: number;
  history: StepRecord[];
}

function resume({ head, state }: Checkpoint, learner: Learner): Progress {
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
