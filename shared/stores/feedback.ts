/**
 * Rows of feedback. What is in force on an inference or an episode stands in its own row, which is changed in the same
 * transaction: so an acknowledged feedback is there and counts, and one that is given twice is there once.
 */
import { hash } from "node:crypto";
import { newId } from "../ids.ts";
import { FeedbackRecord, type FeedbackValue } from "../schemas/feedback.ts";
import type { FeedbackInForce, InForce } from "../schemas/inForce.ts";
import { builtInMetrics } from "../schemas/metric.ts";
import type { Episodes } from "./episodes.ts";
import { createIndexedRows, type IndexedRow, type IndexedRows, isLive } from "./indexedRows.ts";
import type { Inferences } from "./inferences.ts";
import { leftoverWrite, objectKeysOf } from "./leftovers.ts";
import { type Objects, objectKeys } from "./objects.ts";
import { createPayloads, type Payloads } from "./payloads.ts";
import type { Table, TransactWrite } from "./table.ts";

export type FeedbackIndex = "target" | "metric";

export interface GivenFeedback {
  /** Undefined: a new one. Of one that was given under this id, nothing is changed. */
  id?: string | undefined;
  project_id: string;
  level: "inference" | "episode";
  /** Id of the inference or the episode. */
  target: string;
  metric_name: string;
  value: FeedbackValue;
}

export interface FeedbackStore extends Pick<IndexedRows<FeedbackRecord, FeedbackIndex>, "get" | "getMany" | "stream"> {
  /**
   * Durable when it returns. The same value as the one in force is that one; another one supersedes it; comments stand
   * beside each other. Undefined where there is no such inference or episode.
   */
  give(given: GivenFeedback): Promise<FeedbackRecord | undefined>;
  valueOf(feedback: FeedbackRecord): Promise<FeedbackValue>;
  /** Of an inference or an episode that is gone. */
  deleteAllOf(project: string, target: string): Promise<void>;
}

/** What feedback is given on: rows that tell what is in force on them. */
export type JudgedRow = IndexedRow & { feedback: FeedbackInForce; feedback_revision: number };
type JudgedRows = Pick<IndexedRows<JudgedRow, "judged">, "get" | "keyOf" | "pointerTo">;

const mostTries = 100;
const digestOf = (value: FeedbackValue) => hash("sha256", JSON.stringify(value)).slice(0, 32);

/** Values of one slot contradict each other. */
const slotOf = (metric: string, digest: string) => (metric === "comment" ? `comment#${digest}` : metric);

/** What is in force and has not expired. */
export function inForce({ feedback }: Pick<JudgedRow, "feedback">): FeedbackInForce {
  return Object.fromEntries(Object.entries(feedback).filter(([, entry]) => isLive(entry)));
}

interface Parts {
  rows: IndexedRows<FeedbackRecord, FeedbackIndex>;
  payloads: Payloads;
  /** Where what it is given on lies. */
  targets: Record<GivenFeedback["level"], JudgedRows>;
}

async function recordOf({ payloads }: Parts, given: GivenFeedback, { expires_at }: JudgedRow): Promise<FeedbackRecord> {
  const { id = newId("feedback"), project_id, level, target, metric_name, value } = given;
  return {
    id,
    project_id,
    inference_id: level === "inference" ? target : null,
    episode_id: level === "episode" ? target : null,
    metric_name,
    value: await payloads.put(objectKeys.feedback(project_id, id), value),
    superseded_by: null,
    created_at: Math.floor(Date.now() / 1000),
    expires_at,
  };
}

/** All that changes with the record, or nothing does. */
function writesOf({ rows, targets }: Parts, record: FeedbackRecord, given: GivenFeedback, judged: JudgedRow) {
  const { id, project_id, expires_at, created_at, metric_name } = record;
  const target = targets[given.level];
  const before = inForce(judged);
  const digest = digestOf(given.value);
  const slot = slotOf(metric_name, digest);
  const entry: InForce = { id, metric_name, value: plainValue(given), digest, created_at, expires_at };
  const changes = { feedback: { ...before, [slot]: entry }, feedback_revision: judged.feedback_revision + 1 };
  const writes: TransactWrite[] = [
    { type: "create", key: rows.keyOf(record), item: rows.itemOf(record) },
    ...rows.pointers(record),
    { type: "update", key: target.keyOf(judged), changes, condition: stillAt(judged.feedback_revision) },
    // Anew each time, as an episode's time moves on.
    target.pointerTo(judged, "judged", "true"),
  ];
  const earlier = before[slot];
  if (earlier) {
    const key = rows.keyOf({ project_id, id: earlier.id });
    writes.push({ type: "update", key, changes: { superseded_by: id }, condition: notSuperseded });
  }
  const object_keys = objectKeysOf([record.value]);
  if (expires_at !== null && object_keys.length) {
    writes.push(leftoverWrite({ project_id, id: `${id}#expired`, object_keys, feedback_of: null }, expires_at));
  }
  return writes;
}

export function createFeedback(
  table: Table,
  objects: Objects,
  targets: { inference: Pick<Inferences, keyof JudgedRows>; episode: Pick<Episodes, keyof JudgedRows> },
): FeedbackStore {
  const payloads = createPayloads(objects);
  const rows = createIndexedRows<FeedbackRecord, FeedbackIndex>(table, {
    noun: "feedback",
    parse: (item) => FeedbackRecord.parse(item),
    indexes: ({ inference_id, episode_id, metric_name }) => ({
      target: inference_id ?? episode_id,
      metric: metric_name,
    }),
  });
  const parts: Parts = { rows, payloads, targets };
  return {
    ...rows,
    async give(given) {
      const { id, project_id, level, target, metric_name, value } = given;
      const digest = digestOf(value);
      for (let tries = 0; tries < mostTries; tries++) {
        const known = id === undefined ? undefined : await rows.get(project_id, id);
        if (known) return known;
        const judged = await parts.targets[level].get(project_id, target);
        if (!judged) return undefined;
        const standing = inForce(judged)[slotOf(metric_name, digest)];
        const same = standing?.digest === digest ? await rows.get(project_id, standing.id) : undefined;
        if (same) return same;
        const record = await recordOf(parts, given, judged);
        // Who lost to another feedback on the same looks at what is in force now.
        if (await table.transact(writesOf(parts, record, given, judged))) return record;
      }
      throw new Error(`Feedback on ${target} was changed by others ${mostTries} times in a row`);
    },
    async valueOf({ value }) {
      return (await payloads.get(value)) as FeedbackValue;
    },
    async deleteAllOf(project, target) {
      for await (const record of rows.stream(project, { by: { index: "target", value: target } })) {
        for (const key of objectKeysOf([record.value])) await objects.delete(key);
        await table.transact(rows.deletes(record));
      }
    },
  };
}

/** Of a declared metric. */
function plainValue({ metric_name, value }: GivenFeedback): boolean | number | null {
  if ((builtInMetrics as readonly string[]).includes(metric_name)) return null;
  return typeof value === "boolean" || typeof value === "number" ? value : null;
}

const notSuperseded = { expression: "superseded_by = :none", values: { ":none": null } };

const stillAt = (revision: number) => ({
  expression: "feedback_revision = :revision",
  values: { ":revision": revision },
});
