/**
 * A base that learns from texts without labels: an async generator of what happens, as training/train.ts is for labelled
 * rows. First tokens, hidden or next; then, where it is asked for, which texts belong together.
 */
import { join } from "node:path";
import type { LanguageModel } from "../models/languageModel.ts";
import { readPretrained } from "../models/pretrained.ts";
import { readTokenizer } from "../tokenizers/tokenizer.ts";
import { type CheckpointPlan, isCheckpointDue, readCheckpoint, saveCheckpoint } from "../training/checkpoint.ts";
import type { RequestedHyperparameters, ResolvedHyperparameters } from "../training/learner.ts";
import { resolveAuto } from "../training/learner.ts";
import type { BaseDirectory } from "../training/train.ts";
import type { TextFile } from "./corpus.ts";
import { type Course, type CoursePlan, createCourse, planCourse } from "./course.ts";
import { type CorpusReport, prepareMaterial } from "./material.ts";
import { writeBase } from "./newBase.ts";
import { type StageName, specialTokensOf } from "./objective.ts";
import type { TokenObjective } from "./tokenLoss.ts";

export interface PretrainingRequest extends CheckpointPlan {
  base: BaseDirectory;
  /** JSONL `{"text"}`, one document a line. */
  textFiles: TextFile[];
  /** JSONL `{"anchor", "positive"}` for the contrastive stage, beside what the texts give. Default: none. */
  pairFiles?: string[];
  /** Absent: next tokens for a base that writes, hidden ones for any other. */
  objective?: TokenObjective;
  /** Whether a contrastive stage follows. */
  contrastive: boolean;
  /** `batch_size` counts rows of full length; of shorter ones a step has more. */
  hyperparameters: RequestedHyperparameters;
  /** What a customer need not choose. */
  settings?: Partial<PretrainingSettings>;
  seed: number;
  threads: number;
}

export interface PretrainingSettings {
  /** The most tokens of a row; no more than the base has positions. */
  longest: number;
  /** Highest rates, before the multiplier. */
  tokenRate: number;
  contrastiveRate: number;
  /** What of the rate is for token tables. */
  tableRate: number;
  /** Of the vocabulary, how many tokens predictions are compared with. */
  candidates: number;
  dropout: { token: number; contrastive: number };
  temperature: number;
  pairsPerStep: number;
  neighbours: number;
  omitted: number;
  /** In the place of what `n_epochs` gives; 0 leaves a stage out. */
  tokenSteps: number;
  contrastiveSteps: number;
}

/** Metrics after a step; validation fields only where held-out texts were judged. */
export interface PretrainingRecord {
  step: number;
  stage: StageName;
  train_loss: number;
  train_accuracy: number;
  valid_loss?: number;
  valid_accuracy?: number;
  /** Of held-out tokens, against all of the vocabulary; not in the contrastive stage. */
  valid_perplexity?: number;
}

export type PretrainingEvent =
  | {
      type: "started";
      step: number;
      totalSteps: number;
      hyperparameters: ResolvedHyperparameters;
      corpus: CorpusReport;
      stages: { name: StageName; steps: number }[];
    }
  | { type: "step"; record: PretrainingRecord; tokens: number }
  | { type: "checkpoint"; step: number; path: string; record: PretrainingRecord }
  /** `path` is the directory of the new base: `config.json`, tokenizer, `model.safetensors`. */
  | {
      type: "finished";
      path: string;
      history: PretrainingRecord[];
      tokens: number;
      perplexity: { before: number; after: number } | null;
    };

interface Progress {
  step: number;
  tokens: number;
  history: PretrainingRecord[];
}

/**
 * Pre-trains until done, or, when `signal` aborts, until the running step is done and a checkpoint of it is written.
 * Throws CheckpointError where `request.checkpoint` is of another run or the base does not fit, CorpusError for a faulty
 * line, MemoryError where a step does not fit.
 */
export async function* pretrain(request: PretrainingRequest, signal: AbortSignal): AsyncGenerator<PretrainingEvent> {
  const { course, corpus, hyperparameters } = await prepare(request);
  const progress: Progress = { step: 0, tokens: 0, history: [] };
  if (request.checkpoint) {
    const { head, state } = readCheckpoint(request.checkpoint, runOf(request));
    Object.assign(progress, { step: head.step, tokens: head.tokens, history: head.history });
    course.restore(state, head.step);
  }
  try {
    const { totalSteps, stages } = course;
    yield { type: "started", step: progress.step, totalSteps, hyperparameters, corpus, stages };
    let checkpointedAt = Date.now();
    for (let step = progress.step; step < totalSteps; step++) {
      const record = await runStep(course, step, progress);
      yield { type: "step", record, tokens: progress.tokens };
      const done = step + 1;
      if (signal.aborted || (done < totalSteps && isCheckpointDue(request, done, checkpointedAt))) {
        checkpointedAt = Date.now();
        yield {
          type: "checkpoint",
          step: done,
          path: saveCheckpoint(request, { ...progress, step: done, run: runOf(request) }, course.state()),
          record,
        };
      }
      if (signal.aborted) return;
    }
    const path = join(request.directory, "base");
    await writeBase(path, request.base.directory, course.weights());
    yield { type: "finished", path, history: progress.history, tokens: progress.tokens, perplexity: spanOf(progress) };
  } finally {
    await course.release();
  }
}

async function prepare(request: PretrainingRequest) {
  const { base, directory, seed, threads } = request;
  const [pretrained, tokenizer] = await Promise.all([readPretrained(base.directory), readTokenizer(base.directory)]);
  const { model } = pretrained;
  const hyperparameters = resolveAuto(request.hyperparameters, { n_epochs: 1, batch_size: 32 });
  const settings = settingsFor(request, model);
  const special = specialTokensOf(tokenizer);
  const { textFiles, pairFiles = [] } = request;
  const longest = settings.longest - special.before.length - special.behind.length;
  const objective = request.objective ?? (model.heads.causal ? "causal" : "masked");
  const sentences = objective === "masked" || request.contrastive;
  const material = await prepareMaterial({ textFiles, pairFiles, directory, longest, sentences }, tokenizer);
  const plan: CoursePlan = planCourse(
    { model, special, material, settings, hyperparameters, seed, objective },
    request,
  );
  return { course: await createCourse(plan, pretrained, { seed, threads }), corpus: material.report, hyperparameters };
}

function settingsFor({ settings, objective }: PretrainingRequest, model: LanguageModel): PretrainingSettings {
  const writes = (objective ?? (model.heads.causal ? "causal" : "masked")) === "causal";
  const longest = Math.min(model.maxPositions, settings?.longest ?? (writes ? 256 : 128));
  return {
    // A tenth of what a new model learns at: what the base knows is to stay.
    tokenRate: 1e-4,
    contrastiveRate: 3e-5,
    tableRate: 1,
    candidates: 4096,
    dropout: { token: 0, contrastive: 0.1 },
    temperature: 0.05,
    pairsPerStep: 64,
    neighbours: 0.5,
    omitted: 0.1,
    tokenSteps: Number.NaN,
    contrastiveSteps: Number.NaN,
    ...settings,
    longest,
  };
}

/** What must be equal for a checkpoint to belong to a run; not the number of threads, as in training/train.ts. */
function runOf(request: PretrainingRequest): string {
  const { base, textFiles, pairFiles = [], objective, contrastive, hyperparameters, settings, seed } = request;
  const shares = textFiles.map(({ share = 1 }) => share);
  const files = { shares, pairs: pairFiles.length };
  return JSON.stringify({ base: base.digest, files, objective, contrastive, hyperparameters, settings, seed });
}

async function runStep(course: Course, step: number, progress: Progress): Promise<PretrainingRecord> {
  const { stage, loss, accuracy, tokens } = await course.step(step);
  const record: PretrainingRecord = { step: step + 1, stage, train_loss: loss, train_accuracy: accuracy };
  if (course.isJudged(step)) {
    const held = await course.judge();
    if (held) {
      record.valid_loss = held.loss;
      record.valid_accuracy = held.accuracy;
      if (stage !== "contrastive") record.valid_perplexity = Math.exp(held.loss);
    }
  }
  progress.tokens += tokens;
  progress.history.push(record);
  return record;
}

/** The first perplexity that was judged, after the first step, and the last. */
function spanOf({ history }: Progress): { before: number; after: number } | null {
  const judged = history.flatMap(({ valid_perplexity }) => valid_perplexity ?? []);
  return judged.length > 0 ? { before: judged[0]!, after: judged.at(-1)! } : null;
}
