/** What feedback in force says of the units of an experiment, and what it said of them before the experiment began. */
import { idBound } from "../ids.ts";
import type { ExperimentRecord } from "../schemas/experiment.ts";
import type { FeedbackInForce } from "../schemas/inForce.ts";
import type { InferenceRecord } from "../schemas/inference.ts";
import { inForce } from "../stores/feedback.ts";
import { selectInferences } from "../stores/inferenceFilter.ts";
import type { Stores } from "../stores/stores.ts";
import { unit } from "./units.ts";

/** Of several values of a unit, their mean: units are independent of each other, and calls of one unit are not. */
export interface UnitMean {
  sum: number;
  n: number;
  /** Unix time in seconds of the last feedback that counts. */
  at: number;
}

export interface Outcomes {
  /** By unit: of calls that the experiment assigned, or of their episodes. */
  after: Map<string, UnitMean>;
  /** By unit: of calls of the function within four weeks before the experiment. */
  before: Map<string, UnitMean>;
  /** Whether there was more than is read. */
  isPartial: boolean;
}

export type Needs = Pick<Stores, "inferences" | "episodes" | "exposures">;

export const mostRows = 100_000;
const beforeSeconds = 28 * 24 * 60 * 60;

interface Told {
  value: number;
  at: number;
}

/** The value of a metric; true is 1 and false 0. */
function toldBy(feedback: FeedbackInForce, metric: string): Told | undefined {
  const entry = feedback[metric];
  return entry?.value == null ? undefined : { value: Number(entry.value), at: entry.created_at };
}

function add(means: Map<string, UnitMean>, key: string, { value, at }: Told): void {
  const { sum, n, at: last } = means.get(key) ?? { sum: 0, n: 0, at: 0 };
  means.set(key, { sum: sum + value, n: n + 1, at: Math.max(last, at) });
}

export async function readOutcomes(stores: Needs, experiment: ExperimentRecord): Promise<Outcomes> {
  const outcomes: Outcomes = { after: new Map(), before: new Map(), isPartial: false };
  const read = experiment.metric.level === "inference" ? readInferences : readEpisodes;
  await read(stores, experiment, outcomes);
  return outcomes;
}

type Period = "after" | "before";

/** Whether a call was the experiment's, or came before it. */
function periodOf(row: InferenceRecord, experiment: ExperimentRecord): Period | undefined {
  if (row.function !== experiment.function || row.unit === null) return undefined;
  if (row.experiment_id === experiment.id) return "after";
  return row.created_at < experiment.created_at ? "before" : undefined;
}

async function readInferences(stores: Needs, experiment: ExperimentRecord, outcomes: Outcomes): Promise<void> {
  const { project_id, created_at, metric } = experiment;
  const filter = { function: experiment.function, has_feedback: true, created_after: created_at - beforeSeconds };
  let left = mostRows;
  for await (const row of selectInferences(stores.inferences, project_id, filter, { page: 1000 })) {
    if (left-- === 0) {
      outcomes.isPartial = true;
      return;
    }
    const [period, told] = [periodOf(row, experiment), toldBy(inForce(row), metric.name)];
    if (period && told) add(outcomes[period], row.unit!, told);
  }
}

async function readEpisodes(stores: Needs, experiment: ExperimentRecord, outcomes: Outcomes): Promise<void> {
  const { project_id, created_at, metric } = experiment;
  const oldest = idBound("episode", (created_at - beforeSeconds) * 1000);
  const judged = { by: { index: "judged" as const, value: "true" }, descending: true, page: 1000 };
  let left = mostRows;
  for await (const episode of stores.episodes.stream(project_id, judged)) {
    if (episode.id < oldest) return;
    const told = toldBy(inForce(episode), metric.name);
    if (!told) continue;
    // Without records of its calls, an episode can still be known as a unit of its own.
    const found = await unitsOf(stores, experiment, episode.id);
    if (found.after.size + found.before.size === 0) found.after.add(unit("episode", episode.id).key);
    for (const key of found.after) add(outcomes.after, key, told);
    // What was said of an episode that went on in the experiment is no word from before.
    if (found.after.size === 0) for (const key of found.before) add(outcomes.before, key, told);
    left -= 1 + found.read;
    if (left <= 0) {
      outcomes.isPartial = true;
      return;
    }
  }
}

async function unitsOf(stores: Needs, experiment: ExperimentRecord, episode_id: string) {
  const found = { after: new Set<string>(), before: new Set<string>(), read: 0 };
  for await (const row of selectInferences(stores.inferences, experiment.project_id, { episode_id })) {
    found.read++;
    const period = periodOf(row, experiment);
    if (period) found[period].add(row.unit!);
  }
  return found;
}
