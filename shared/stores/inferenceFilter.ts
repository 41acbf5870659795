/** Which inferences are meant: by what the index knows first, and then by looking at each. */
import { idBound } from "../ids.ts";
import type { InferenceRecord } from "../schemas/inference.ts";
import { inForce } from "./feedback.ts";
import type { StreamOptions } from "./indexedRows.ts";
import type { InferenceIndex, Inferences } from "./inferences.ts";

export interface InferenceFilter {
  model?: string | undefined;
  endpoint?: string | undefined;
  function?: string | undefined;
  variant?: string | undefined;
  episode_id?: string | undefined;
  is_stored?: boolean | undefined;
  /** Unix time in seconds; from it on. */
  created_after?: number | undefined;
  /** Unix time in seconds; it does not count itself. */
  created_before?: number | undefined;
  has_feedback?: boolean | undefined;
  /** With a value in force from `min` to `max`; of booleans, true counts 1 and false 0. */
  metric?: { name: string; min?: number | undefined; max?: number | undefined } | undefined;
  /** Every label must match; null: without any. */
  metadata?: Record<string, string> | null | undefined;
}

type Conditions = {
  [Name in keyof InferenceFilter]-?: (
    row: InferenceRecord,
    wanted: Exclude<InferenceFilter[Name], undefined>,
  ) => boolean;
};

const equal =
  <Name extends keyof InferenceRecord>(name: Name) =>
  (row: InferenceRecord, wanted: InferenceRecord[Name]) =>
    row[name] === wanted;

const conditions: Conditions = {
  model: equal("model"),
  endpoint: equal("endpoint"),
  function: equal("function"),
  variant: equal("variant"),
  episode_id: equal("episode_id"),
  is_stored: equal("is_stored"),
  created_after: ({ created_at }, time) => created_at >= time,
  created_before: ({ created_at }, time) => created_at < time,
  has_feedback: (row, wanted) => Object.keys(inForce(row)).length > 0 === wanted,
  metric: (row, { name, min = -Infinity, max = Infinity }) => {
    const value = inForce(row)[name]?.value;
    return value != null && Number(value) >= min && Number(value) <= max;
  },
  metadata: ({ metadata }, wanted) =>
    wanted === null
      ? metadata === null
      : Object.entries(wanted).every(([key, value]) => metadata !== null && metadata[key] === value),
};

function fits(row: InferenceRecord, filter: InferenceFilter): boolean {
  return Object.entries(filter).every(([name, wanted]) => {
    if (wanted === undefined) return true;
    return (conditions[name as keyof InferenceFilter] as (row: InferenceRecord, wanted: unknown) => boolean)(
      row,
      wanted,
    );
  });
}

/** The index that leaves the least to look at; none: all are looked at, from where `after` and the times say. */
function indexFor(filter: InferenceFilter): { index: InferenceIndex; value: string } | undefined {
  if (filter.episode_id !== undefined) return { index: "episode_id", value: filter.episode_id };
  if (filter.has_feedback || filter.metric) return { index: "judged", value: "true" };
  if (filter.is_stored) return { index: "stored", value: "true" };
  if (filter.function !== undefined) return { index: "function", value: filter.function };
  if (filter.model !== undefined) return { index: "model", value: filter.model };
  return undefined;
}

export interface Selection extends Pick<StreamOptions<InferenceIndex>, "after" | "page"> {
  order?: "asc" | "desc";
}

/** By time of creation, newest first unless told otherwise. */
export async function* selectInferences(
  inferences: Pick<Inferences, "stream">,
  project: string,
  filter: InferenceFilter,
  { after, page, order = "desc" }: Selection = {},
): AsyncGenerator<InferenceRecord> {
  const descending = order === "desc";
  const bound = (seconds: number | undefined) =>
    seconds === undefined ? undefined : idBound("request", seconds * 1000);
  const [lower, upper] = [bound(filter.created_after), bound(filter.created_before)];
  const start = [after, descending ? upper : lower].filter((id) => id !== undefined).sort();
  const from = descending ? start[0] : start.at(-1);
  const rows = inferences.stream(project, { by: indexFor(filter), after: from, descending, ...(page && { page }) });
  for await (const row of rows) {
    if (descending ? lower !== undefined && row.id < lower : upper !== undefined && row.id >= upper) return;
    if (fits(row, filter)) yield row;
  }
}
