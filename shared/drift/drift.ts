/**
 * Has a model, or a function, drifted since some time? Its first answers since then are the reference, its newest the window.
 * What a policy asks, and the API.
 */
import { lessonOf } from "../inference/lessons.ts";
import { Decision } from "../schemas/decision.ts";
import type { InferenceRecord } from "../schemas/inference.ts";
import { inForce } from "../stores/feedback.ts";
import { selectInferences } from "../stores/inferenceFilter.ts";
import type { Stores } from "../stores/stores.ts";
import type { Comparison } from "./compare.ts";
import type { Observation } from "./observation.ts";
import { compareOnThread } from "./onThread.ts";

export interface DriftQuestion {
  /** Whose answers; one of them. */
  of: { model: string } | { function: string };
  /** Unix time in seconds from which on answers count; absent: all. */
  since?: number | undefined;
  /** Most rows of each. */
  reference?: number | undefined;
  window?: number | undefined;
  /** The chance of any false alarm. Default: 0.01. */
  alpha?: number | undefined;
  seed?: number | undefined;
  /** Vectors of texts, of one width; absent: hashed n-grams. */
  embed?: ((texts: string[]) => Promise<Float32Array[]>) | undefined;
  signal?: AbortSignal | undefined;
}

export interface Sample {
  rows: number;
  /** Unix times in seconds of its first and last answer; null of none. */
  from: number | null;
  to: number | null;
}

export interface Drift {
  /** Null: there are too few answers to tell. */
  drifted: boolean | null;
  reference: Sample;
  window: Sample;
  /** Null where there are too few. */
  comparison: Comparison | null;
}

export const driftLimits = {
  reference: { least: 40, usual: 300, most: 500 },
  window: { least: 20, usual: 150, most: 300 },
  alpha: { least: 0.005, usual: 0.01, most: 0.2 },
} as const;

type Needs = Pick<Stores, "inferences">;

/** Answers whose input was kept, and of each episode one: what is said in one conversation is no news each time. */
export async function driftOf(stores: Needs, project: string, question: DriftQuestion): Promise<Drift> {
  const { reference, window } = await samplesOf(stores, project, question);
  const sizes = { reference: sampleOf(reference), window: sampleOf(window) };
  if (reference.length < driftLimits.reference.least || window.length < driftLimits.window.least) {
    return { drifted: null, ...sizes, comparison: null };
  }
  const { embed, alpha = driftLimits.alpha.usual, seed = 1, signal } = question;
  const observed = [...reference, ...window].map(({ observation }) => observation);
  const vectors = await embed?.(observed.map(({ text }) => text));
  const rows = vectors ? observed.map((row, i) => ({ ...row, vector: vectors[i]! })) : observed;
  const request = { reference: rows.slice(0, reference.length), window: rows.slice(reference.length), alpha, seed };
  const comparison = await compareOnThread(request, signal);
  return { drifted: comparison.drifted, ...sizes, comparison };
}

interface Observed {
  created_at: number;
  episode_id: string | null;
  observation: Observation;
}

async function samplesOf(stores: Needs, project: string, question: DriftQuestion) {
  const { of, since, reference = driftLimits.reference.usual, window = driftLimits.window.usual } = question;
  const filter = { ...of, created_after: since };
  const newest = await observe(stores, project, filter, { order: "desc", count: window });
  const taken = new Set(newest.flatMap(({ episode_id, observation }) => [observation.id, episode_id ?? []].flat()));
  const oldest = await observe(stores, project, filter, { order: "asc", count: reference, taken });
  return { reference: oldest, window: newest.reverse() };
}

interface Wanted {
  order: "asc" | "desc";
  count: number;
  /** Ids of the other sample, at whose first row this one ends, and of its episodes. */
  taken?: ReadonlySet<string>;
}

/** Looks at so many answers for each that is wanted: of others nothing was kept, or they were of the same episode. */
const mostLooks = 10;

async function observe(
  { inferences }: Needs,
  project: string,
  filter: Parameters<typeof selectInferences>[2],
  { order, count, taken }: Wanted,
): Promise<Observed[]> {
  const found: Observed[] = [];
  const episodes = new Set(taken);
  let looks = 0;
  for await (const inference of selectInferences(inferences, project, filter, { order })) {
    if (taken?.has(inference.id) || looks++ >= mostLooks * count) break;
    const { created_at, episode_id } = inference;
    if (episode_id !== null && episodes.has(episode_id)) continue;
    const observation = observationOf(inference, await inferences.read(inference));
    if (!observation) continue;
    if (episode_id !== null) episodes.add(episode_id);
    if (found.push({ created_at, episode_id, observation }) >= count) break;
  }
  return found;
}

const Answers = Decision.pick({ answers: true }).loose();

/** Undefined where no text was kept. */
function observationOf(inference: InferenceRecord, said: { input: unknown; output: unknown }): Observation | undefined {
  const lesson = lessonOf(inference.endpoint, said);
  if (!lesson) return undefined;
  const answers = Answers.safeParse(said.output).data?.answers;
  const choice = answers?.find(({ type }) => type === "choice");
  const values = Object.values(inForce(inference)).flatMap(({ metric_name, value }) =>
    value === null ? [] : [[metric_name, Number(value)] as const],
  );
  return {
    id: inference.id,
    text: lesson.text,
    label: lesson.label ?? null,
    confidence: choice?.type === "choice" ? choice.confidence : null,
    refused: answers?.some(({ type }) => type === "refusal") ?? false,
    outcomes: Object.fromEntries(values),
  };
}

function sampleOf(rows: readonly Observed[]): Sample {
  return { rows: rows.length, from: rows[0]?.created_at ?? null, to: rows.at(-1)?.created_at ?? null };
}
