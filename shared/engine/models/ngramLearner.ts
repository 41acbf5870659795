/**
 * Training `millrace-ngram`. First a model of the training rows alone, by which the validation rows are judged; then,
 * where these were held out and not given, the model to keep, learned afresh from all rows.
 */
import type { Tensor } from "../dataTypes.ts";
import { mixSeeds, permutation } from "../random.ts";
import { createSession, type Session } from "../runtime/session.ts";
import { type NgramBag, ngrams } from "../text/ngrams.ts";
import { countDocuments, learnVocabulary, type SparseRow, type Vocabulary, vectorizer } from "../text/vocabulary.ts";
import type { LabelledLogits } from "../training/evaluation.ts";
import type { Learner, LearnerOptions } from "../training/learner.ts";
import { type Batcher, createBatcher, RowTables } from "../training/sparseBatch.ts";
import { newName } from "../trainingStep.ts";
import { ADAMW, learningRateAt, minDocuments, peakLearningRate } from "./ngram.recipe.ts";
import { moments, ngramForward, ngramStep } from "./ngram.ts";
import { storedWeights } from "./ngramClassifier.ts";

interface Rows {
  bags: NgramBag[];
  labels: Int32Array;
}

/** One training from zero to the end. */
interface Phase {
  index: number;
  seed: number;
  order: { epoch: number; rows: Int32Array };
  data: Rows;
  vocabulary: Vocabulary;
  toRow: (bag: NgramBag) => SparseRow;
  rows: SparseRow[];
  batch: Batcher;
  peak: number;
  steps: number;
  /** Weights and their moments, one row a feature. */
  tables: RowTables;
  /** Bias, its moments, and Adam's count. */
  small: Record<string, Tensor>;
}

const batchOfValidation = 256;

export async function createNgramLearner(options: LearnerOptions): Promise<Learner> {
  const { classes, threads, hyperparameters } = options;
  const [stepper, forward] = await Promise.all([
    createSession(ngramStep(classes, ADAMW), { threads }),
    createSession(ngramForward(classes), { threads }),
  ]);
  const train: Rows = { bags: options.train.texts.map(ngrams), labels: options.train.labels };
  const valid: Rows = { bags: options.valid.texts.map(ngrams), labels: options.valid.labels };
  const plan = planPhases(train, valid, options.refit);
  const stepsOf = ({ bags }: Rows) => Math.ceil(bags.length / hyperparameters.batch_size) * hyperparameters.n_epochs;
  const totalSteps = plan.reduce((sum, data) => sum + stepsOf(data), 0);
  const judgedSteps = stepsOf(plan[0]!);
  const stepsPerEpoch = judgedSteps / hyperparameters.n_epochs;

  let phase = beginPhase(0);
  let held: Float32Array = new Float32Array(0);

  function beginPhase(index: number): Phase {
    return createPhase(index, plan[index]!, options, stepsOf(plan[index]!));
  }

  async function step(n: number) {
    const index = n < judgedSteps ? 0 : 1;
    if (phase.index !== index) phase = beginPhase(index);
    const local = n - index * judgedSteps;
    const result = await runStep(stepper, phase, local, hyperparameters.batch_size);
    if (n + 1 === judgedSteps) held = await logitsOf(forward, phase, valid.bags, classes);
    return result;
  }

  return {
    totalSteps,
    isEvaluated: (n) => n < judgedSteps && (n + 1) % stepsPerEpoch === 0,
    step,
    async validate(): Promise<LabelledLogits> {
      const logits = held.length ? held : await logitsOf(forward, phase, valid.bags, classes);
      return { logits, labels: valid.labels, classes };
    },
    state: () => ({
      ...phase.small,
      ...Object.fromEntries(phase.tables.names.map((name) => [name, phase.tables.read(name)])),
      held: { shape: [held.length], data: held },
      phase: { shape: [1], data: Int32Array.of(phase.index) },
    }),
    restore(state) {
      const index = state.phase!.data[0] as number;
      if (phase.index !== index) phase = beginPhase(index);
      held = Float32Array.from(state.held!.data as Float32Array);
      for (const name of Object.keys(phase.small)) phase.small[name] = state[name]!;
      for (const name of phase.tables.names) phase.tables.write(name, state[name]!);
    },
    weights: () =>
      storedWeights({
        ...phase.vocabulary,
        weight: phase.tables.read("weight").data as Float32Array,
        bias: phase.small.bias!.data as Float32Array,
      }),
    async release() {
      await Promise.all([stepper.release(), forward.release()]);
    },
  };
}

function planPhases(train: Rows, valid: Rows, refit: boolean): Rows[] {
  if (!refit || !valid.bags.length) return [train];
  const labels = new Int32Array(train.labels.length + valid.labels.length);
  labels.set(train.labels);
  labels.set(valid.labels, train.labels.length);
  return [train, { bags: [...train.bags, ...valid.bags], labels }];
}

function createPhase(index: number, data: Rows, options: LearnerOptions, steps: number): Phase {
  const { classes, hyperparameters } = options;
  const least = minDocuments(countDocuments(data.bags).documents, classes);
  const vocabulary = learnVocabulary(data.bags, data.labels, classes, least);
  const toRow = vectorizer(vocabulary);
  const rows = data.bags.map(toRow);
  const features = vocabulary.buckets.length;
  const scalar = (value: number): Tensor => ({ shape: [], data: Float32Array.of(value) });
  const vector = (): Tensor => ({ shape: [classes], data: new Float32Array(classes) });
  return {
    index,
    seed: mixSeeds(options.seed, index),
    order: { epoch: -1, rows: new Int32Array(0) },
    data,
    vocabulary,
    toRow,
    rows,
    batch: createBatcher(features),
    peak: peakLearningRate(rows, classes) * hyperparameters.learning_rate_multiplier,
    steps,
    tables: new RowTables(["weight", ...moments.map((moment) => `${moment}:weight`)], features, classes),
    small: {
      "adamw.step": scalar(0),
      bias: vector(),
      ...Object.fromEntries(moments.map((moment) => [`${moment}:bias`, vector()])),
    },
  };
}

async function runStep(session: Session, phase: Phase, n: number, batchSize: number) {
  const chosen = batchRows(phase, n, batchSize);
  const { touched, x } = phase.batch(chosen.map((row) => phase.rows[row]!));
  const results = await session.run({
    x,
    labels: { shape: [chosen.length], data: Int32Array.from(chosen, (row) => phase.data.labels[row]!) },
    learning_rate: { shape: [], data: Float32Array.of(learningRateAt(n + 1, phase.steps, phase.peak)) },
    ...phase.small,
    ...phase.tables.gather(touched),
  });
  phase.small = carriedOf(Object.keys(phase.small), results);
  phase.tables.scatter(touched, carriedOf(phase.tables.names, results));
  return {
    loss: results.loss!.data[0] as number,
    accuracy: results.accuracy!.data[0] as number,
    tokens: chosen.reduce((sum, row) => sum + phase.data.bags[row]!.tokens, 0),
  };
}

/** The rows of a step: each epoch goes through all rows in an order of its own. */
function batchRows(phase: Phase, n: number, batchSize: number): number[] {
  const rows = phase.rows.length;
  const perEpoch = Math.ceil(rows / batchSize);
  const epoch = Math.floor(n / perEpoch);
  if (phase.order.epoch !== epoch) phase.order = { epoch, rows: permutation(rows, phase.seed, epoch) };
  const start = (n % perEpoch) * batchSize;
  return [...phase.order.rows.subarray(start, start + batchSize)];
}

async function logitsOf(session: Session, phase: Phase, bags: readonly NgramBag[], classes: number) {
  const logits = new Float32Array(bags.length * classes);
  for (let start = 0; start < bags.length; start += batchOfValidation) {
    const { touched, x } = phase.batch(bags.slice(start, start + batchOfValidation).map(phase.toRow));
    const weight = phase.tables.read("weight", touched);
    const results = await session.run({ x, weight, bias: phase.small.bias! });
    logits.set(results.logits!.data as Float32Array, start * classes);
  }
  return logits;
}

/** What a step hands to the next, by the name it is fed under. */
function carriedOf(names: readonly string[], results: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(names.map((name) => [name, results[newName(name)]!]));
}
