/**
 * A race of methods over the rows of a training file: all are judged by the same rows, none of which the judged model
 * learned from. Whoever is expensive must first do well on a part of the way (successive halving, Jamieson and Talwalkar 2016).
 */
import { usualStrength } from "../models/logisticHead.ts";
import { evaluate, fitTemperature, type LabelledLogits, negativeLogLikelihood } from "../training/evaluation.ts";
import type { Examples } from "../training/examples.ts";
import type { Learner } from "../training/learner.ts";
import { crossFitted } from "./combination.ts";
import { otherRows, pickRows, stratifiedFolds, stratifiedSample } from "./folds.ts";
import { type Course, type MethodName, methods, type Setting } from "./methods.ts";
import {
  type Allowance,
  allowanceFor,
  epochsWithin,
  foldsFor,
  mostRows,
  operationsPerToken,
  rowsWithin,
  tokensOf,
} from "./plan.ts";
import { wilson } from "./verdict.ts";

/** The rows that are raced over, and how they are divided. */
export interface Field {
  /** Numbers of the rows among all examples. */
  readonly rows: Int32Array;
  readonly examples: Examples;
  /** Places in `rows`. */
  readonly folds: readonly Int32Array[];
  readonly allowance: Allowance;
}

/** What an entrant made of rows that it did not learn from. */
export interface Finished {
  readonly name: string;
  readonly method: MethodName;
  readonly setting: Setting;
  /** Places in the field's rows, rising. */
  readonly rows: Int32Array;
  /** [rows, classes]. */
  readonly logits: Float32Array;
  readonly seconds: number;
  readonly steps: number;
  readonly tokens: number;
  /** On a part of the way, to see who goes on. */
  readonly isHeat: boolean;
}

/** By so many rows texts are taken for long or short. */
const measuredRows = 500;

export function fieldOf(all: Examples, { vectors, seed }: Course): Field {
  const every = Int32Array.from(all.labels.keys());
  const some = pickRows(all, stratifiedSample(all.labels, every, measuredRows, seed)).texts;
  const most = vectors ? rowsWithin(tokensOf(vectors, some) / some.length, vectors.pretrained.model) : mostRows;
  const rows = stratifiedSample(all.labels, every, most, seed);
  const examples = pickRows(all, rows);
  const folds = stratifiedFolds(examples.labels, foldsFor(rows.length), seed);
  return { rows, examples, folds, allowance: allowanceFor(vectors, examples.texts) };
}

interface Lap {
  readonly train: Int32Array;
  readonly held: Int32Array;
}

/** Yields each entrant that comes in; those in `finished` do not run again. Ends early when `signal` aborts. */
export async function* race(
  course: Course,
  field: Field,
  finished: ReadonlyMap<string, Finished>,
  signal: AbortSignal,
): AsyncGenerator<Finished> {
  const come = new Map(finished);
  const enter = async function* (name: string, run: () => Promise<Omit<Finished, "name"> | null>) {
    if (come.has(name) || signal.aborted) return;
    const found = await run();
    if (!found || signal.aborted) return;
    come.set(name, { name, ...found });
    yield come.get(name)!;
  };
  const everyFold = field.folds.map((held) => lapOf(field, held));
  const first = { strength: usualStrength, share: 1 };
  yield* enter("ngram", () => run(course, field, { method: "ngram", setting: first, laps: everyFold, signal }));
  const ngram = come.get("ngram");
  if (!course.vectors || !ngram || isNearlyRight(ngram, field, course.labels.length)) return;
  yield* enter("frozen", async () => {
    // A few rows would choose by luck.
    const isChosen = field.rows.length >= fewestTuned;
    const strength = isChosen ? await bestStrength(course, field, ngram, signal) : first.strength;
    const setting = { ...first, strength };
    return run(course, field, { method: "frozen", setting, laps: everyFold, signal });
  });
  if (field.rows.length < fewestTuned) return;
  const setting = come.get("frozen")?.setting ?? first;
  const { comparing } = field.allowance;
  const heat = { laps: laps(course, field, comparing / 8).slice(0, 1), isHeat: true };
  const { model } = course.vectors.pretrained;
  const tuned = tunedMethods.filter((method) => methods[method].fits?.(model) ?? true);
  for (const method of tuned) {
    yield* enter(`heat:${method}`, () => run(course, field, { method, setting, signal, ...heat }));
  }
  if (signal.aborted) return;
  const ranked = tuned.toSorted((a, b) => surprise(come, field, `heat:${a}`) - surprise(come, field, `heat:${b}`));
  const final = laps(course, field, (comparing * 3) / 4);
  for (const method of ranked.slice(0, mostFinalists)) {
    yield* enter(method, () => run(course, field, { method, setting, laps: final, signal }));
    if (signal.aborted || beatsFrozen(come, field, method)) return;
  }
}

/**
 * On the whole way a heat's winner may be lost: with 20,781 rows of davidson contrasts won a heat by little, and had 83 % right
 * behind it where they had 87 before. Then, and only then, the second has its turn, beyond what comparing is allowed.
 */
const mostFinalists = 2;

const tunedMethods: readonly MethodName[] = ["lora", "contrastive", "full"];

/**
 * Of fewer rows than this there is nothing to tell who tunes best. With eight of each of a few labels contrasts lost three to
 * seven points, adapters won three on one set and lost four on another, and what they cost was most of the race.
 */
const fewestTuned = 200;

/** Of the rows: where n-grams miss no more, all that a base could add is not worth what it costs to learn and to serve. */
const nearlyRight = 0.02;

/** Of few rows that is not known. */
export function isNearlyRight({ rows, logits }: Finished, field: Field, classes: number): boolean {
  const { accuracy } = evaluate({ logits, labels: labelsOf(rows, field), classes });
  return rows.length >= fewestTuned && wilson(accuracy, rows.length).low >= 1 - nearlyRight;
}

/** Nats a row of an entrant with n-grams beside it; of one that did not run, nothing is known. */
function surprise(come: ReadonlyMap<string, Finished>, field: Field, name: string): number {
  const own = come.get(name);
  return own ? lossBeside(come.get("ngram")!, own, field) : 0;
}

function lossBeside(ngram: Finished, own: Finished, field: Field): number {
  return evaluate(together([ngram, own], field, classesOf(own))).loss;
}

const classesOf = ({ rows, logits }: Finished) => logits.length / rows.length;

/** Whether tuning was worth it, by the rows that the tuned base judged. */
export function beatsFrozen(come: ReadonlyMap<string, Finished>, field: Field, name: string): boolean {
  const [ngram, frozen, own] = [come.get("ngram")!, come.get("frozen"), come.get(name)];
  if (!frozen || !own) return true;
  return lossBeside(ngram, own, field) < lossBeside(ngram, within(frozen, own.rows, classesOf(own)), field);
}

/** What several entrants say together of the rows that all of them judged. */
export function together(entrants: readonly Finished[], field: Field, classes: number): LabelledLogits {
  return crossFitted({ ...commonLogits(entrants, classes), labels: labelsOf(commonRows(entrants), field), classes });
}

export function commonRows(entrants: readonly Pick<Finished, "rows">[]): Int32Array {
  const sets = entrants.map(({ rows }) => new Set(rows));
  return entrants[0]!.rows.filter((row) => sets.every((set) => set.has(row)));
}

export function labelsOf(rows: Int32Array, { examples }: Field): Int32Array {
  return rows.map((row) => examples.labels[row]!);
}

export function commonLogits(entrants: readonly Finished[], classes: number): { logits: Float32Array[] } {
  const rows = commonRows(entrants);
  return { logits: entrants.map((entrant) => logitsAt(entrant, rows, classes)) };
}

/** An entrant as if it had judged these of its rows alone. */
export function within(entrant: Finished, rows: Int32Array, classes: number): Finished {
  return { ...entrant, rows, logits: logitsAt(entrant, rows, classes) };
}

/** An entrant's logits of some of the rows that it judged. */
export function logitsAt({ rows, logits }: Finished, wanted: Int32Array, classes: number): Float32Array {
  const places = new Map(Array.from(rows, (row, place) => [row, place]));
  const found = new Float32Array(wanted.length * classes);
  for (const [i, row] of wanted.entries()) {
    const at = places.get(row)! * classes;
    found.set(logits.subarray(at, at + classes), i * classes);
  }
  return found;
}

function lapOf({ rows }: Field, held: Int32Array): Lap {
  return { held, train: otherRows(rows.length, held) };
}

/** As many folds as so many operations have room for; of one fold, where it has no room for that, a part of the rows. */
function laps(course: Course, field: Field, operations: number): Lap[] {
  const { model } = course.vectors!.pretrained;
  const { tokens, winner } = field.allowance;
  const learned = tokens * (1 - 1 / field.folds.length);
  const perFold = learned * epochsWithin(winner, tokens, model) * operationsPerToken(model);
  const count = Math.max(1, Math.min(field.folds.length, Math.floor(operations / perFold)));
  const share = Math.min(1, operations / perFold);
  return field.folds.slice(0, count).map((held) => {
    const { train } = lapOf(field, held);
    const own = train.map((row) => field.examples.labels[row]!);
    const kept = stratifiedSample(own, Int32Array.from(train.keys()), Math.ceil(train.length * share), course.seed);
    return { held, train: kept.map((place) => train[place]!) };
  });
}

const strengths = [1, 10, 100];

/** By what n-grams and the head say together of the first fold's rows. */
async function bestStrength(course: Course, field: Field, ngram: Finished, signal: AbortSignal): Promise<number> {
  const tried = [];
  for (const strength of strengths) {
    const setting = { strength, share: 1 };
    const options = { method: "frozen" as const, setting, laps: [lapOf(field, field.folds[0]!)], signal };
    const found = await run(course, field, options);
    if (!found) return strength;
    const { loss } = evaluate(together([ngram, { ...found, name: "frozen" }], field, course.labels.length));
    tried.push({ strength, loss });
  }
  return tried.reduce((a, b) => (b.loss < a.loss ? b : a)).strength;
}

interface Run {
  readonly method: MethodName;
  readonly setting: Setting;
  readonly laps: readonly Lap[];
  readonly isHeat?: boolean;
  readonly signal: AbortSignal;
}

/** Null when called off. */
async function run(course: Course, field: Field, options: Run): Promise<Omit<Finished, "name"> | null> {
  const { method, laps, signal, isHeat = false } = options;
  const classes = course.labels.length;
  const startedAt = performance.now();
  const rows = Int32Array.from(laps.flatMap(({ held }) => [...held])).sort();
  const places = new Map(Array.from(rows, (row, place) => [row, place]));
  const logits = new Float32Array(rows.length * classes);
  const done = { steps: 0, tokens: 0 };
  let { setting } = options;
  for (const { train, held } of laps) {
    const own = { train: pickRows(field.examples, train), valid: pickRows(field.examples, held), setting };
    const operations = field.allowance.winner * (train.length / field.rows.length);
    const { learner } = await methods[method].start(course, { ...own, operations });
    try {
      const judged = await complete(learner, {
        share: setting.share,
        watched: methods[method].isWatched ?? false,
        signal,
        done,
      });
      if (!judged) return null;
      setting = { ...setting, share: judged.share };
      for (const [i, row] of held.entries()) {
        logits.set(judged.logits.subarray(i * classes, (i + 1) * classes), places.get(row)! * classes);
      }
    } finally {
      await learner.release();
    }
  }
  return { method, setting, rows, logits, seconds: (performance.now() - startedAt) / 1000, ...done, isHeat };
}

interface Completion {
  readonly share: number;
  /** Whether held rows may end it early. */
  readonly watched: boolean;
  readonly signal: AbortSignal;
  readonly done: { steps: number; tokens: number };
}

/** So many judgements in a row without a gain end a training. */
const patience = 2;

/** Learns its share of the steps, or until the held rows no longer gain by it; null when called off. */
async function complete(learner: Learner, { share, watched, signal, done }: Completion) {
  const last = Math.max(1, Math.round(share * learner.totalSteps));
  let best: { loss: number; share: number; logits: Float32Array } | undefined;
  let worse = 0;
  for (let step = 0; step < last && worse < patience; step++) {
    if (signal.aborted) return null;
    const { tokens } = await learner.step(step);
    done.steps++;
    done.tokens += tokens;
    // A run computes on this thread: without a pause nobody would hear that it is called off.
    await new Promise(setImmediate);
    if (step + 1 < last && !(watched && learner.isEvaluated(step))) continue;
    const held = await learner.validate();
    const loss = negativeLogLikelihood(held, fitTemperature(held));
    worse = best && loss >= best.loss ? worse + 1 : 0;
    if (!worse) best = { loss, share: (step + 1) / learner.totalSteps, logits: held.logits.slice() };
  }
  return best;
}
