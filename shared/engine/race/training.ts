/** A training whose model is chosen by a race: first the race, told as it goes, then the training of whoever won. */
import { join } from "node:path";
import { openTextVectors } from "../models/textVectors.ts";
import { type Checkpoint, type CheckpointHead, writeCheckpoint } from "../training/checkpoint.ts";
import { evaluate } from "../training/evaluation.ts";
import type { Examples } from "../training/examples.ts";
import type { Training, TrainingEvent, TrainingRequest } from "../training/train.ts";
import { decide, type Outcome } from "./decision.ts";
import type { Course } from "./methods.ts";
import { finishedOf, raceHead, raceTensors } from "./progress.ts";
import { type Field, type Finished, fieldOf, race } from "./race.ts";
import { createWinner } from "./winner.ts";

export interface RaceRows {
  readonly train: Examples;
  readonly valid: Examples;
}

/** Null when called off on the way; whoever had come in by then was told, with a checkpoint. */
export async function* chooseTraining(
  request: TrainingRequest,
  examples: RaceRows,
  resumed: Checkpoint | null,
  head: CheckpointHead,
  signal: AbortSignal,
): AsyncGenerator<TrainingEvent, Training | null> {
  const rows = request.refit ? { train: joined(examples), valid: nothing } : examples;
  const vectors = request.base && (await openTextVectors(request.base.directory, request.threads));
  const { seed, threads, hyperparameters: requested, labels } = request;
  const course: Course = { labels, vectors, requested, seed, threads };
  const known = resumed?.head.race?.outcome;
  const outcome = known ?? (yield* decided(request, course, rows.train, resumed, head, signal));
  if (!outcome) return null;
  const { decision, report } = outcome;
  const { learner, hyperparameters } = await createWinner(course, decision, rows);
  const isOverBase = decision.parts.some(({ method }) => method !== "ngram");
  const architecture = !isOverBase ? "ngram" : decision.parts.length > 1 ? "hybrid" : "pretrained";
  const { temperature, thresholds, outOfScope } = decision;
  return {
    learner: { ...learner, release: async () => void (await Promise.all([learner.release(), vectors?.release()])) },
    hyperparameters,
    rows: rows.train.labels.length,
    race: { finished: [], outcome },
    report,
    config: async () => ({
      ...{ architecture, labels, temperature, thresholds, ...(outOfScope && { outOfScope }) },
      ...(isOverBase && { base: { digest: request.base!.digest, adapter: learner.adapter! } }),
    }),
  };
}

async function* decided(
  request: TrainingRequest,
  course: Course,
  train: Examples,
  resumed: Checkpoint | null,
  head: CheckpointHead,
  signal: AbortSignal,
): AsyncGenerator<TrainingEvent, Outcome | null> {
  const field = fieldOf(train, course);
  const finished = resumed?.head.race ? finishedOf(resumed.head.race, resumed.state) : new Map<string, Finished>();
  const hasBase = course.vectors !== null;
  yield { type: "race", field: sizesOf(field), hasBase, finished: [...finished.keys()] };
  for await (const entrant of race(course, field, finished, signal)) {
    finished.set(entrant.name, entrant);
    const path = join(request.directory, `race-${finished.size}.safetensors`);
    writeCheckpoint(path, { ...head, race: raceHead(finished.values()) }, raceTensors(finished.values()));
    yield { type: "entrant", path, entrant: toldOf(entrant, field) };
  }
  if (signal.aborted) return null;
  const outcome = decide([...finished.values()], field, request.labels);
  yield { type: "decided", report: outcome.report };
  return outcome;
}

const nothing: Examples = { texts: [], labels: new Int32Array(0) };

function joined({ train, valid }: RaceRows): Examples {
  const both = (pick: (examples: Examples) => Iterable<number> | undefined) =>
    Int32Array.from(
      [train, valid].flatMap((examples) => [...(pick(examples) ?? new Int32Array(examples.texts.length))]),
    );
  return {
    texts: [...train.texts, ...valid.texts],
    labels: both(({ labels }) => labels),
    lines: both(({ lines }) => lines),
  };
}

function sizesOf({ rows, folds }: Field) {
  return { rows: rows.length, folds: folds.length };
}

function toldOf({ name, rows, logits, seconds, isHeat }: Finished, { examples }: Field) {
  const labels = rows.map((row) => examples.labels[row]!);
  const { accuracy } = evaluate({ logits, labels, classes: logits.length / rows.length });
  return { name, accuracy, judged: rows.length, seconds, isHeat };
}
