/** Rows of retention policies, each with where its sweep is; a worker takes one for a while, and whoever dies is followed by another. */
import { RetentionPolicy, RetentionRecord } from "../schemas/retention.ts";
import { type Changes, type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface Retentions {
  get(project: string): Promise<RetentionRecord | undefined>;
  /** Sweeps by it from now on. False where somebody else set one since `before` was read. */
  set(
    project: string,
    policy: RetentionPolicy,
    before: RetentionRecord | undefined,
    also: readonly TransactWrite[],
  ): Promise<boolean>;
  /** Those to be swept, of all projects. */
  due(now: number, limit: number): Promise<RetentionRecord[]>;
  /** The record as it is then, to be looked at again at `due`, in milliseconds; undefined where it was changed since it was read. */
  change(record: RetentionRecord, changes: Partial<RetentionRecord>, due: number): Promise<RetentionRecord | undefined>;
}

const kind = "retention";
const { partition: workKind, sort: dueTime } = tableSchema.workIndex;
const sortable = (milliseconds: number) => new Date(milliseconds).toISOString();
const keyOf = (project: string) => ({ pk: `${project}#retention`, sk: project });
const asRead = ({ revision }: RetentionRecord) => ({
  expression: "revision = :read",
  values: { ":read": revision },
});

export function createRetentions(table: Table): Retentions {
  return {
    async get(project) {
      const item = await table.get(keyOf(project));
      return item && RetentionRecord.parse(item);
    },
    set(project, policy, before, also) {
      const due = { [workKind]: kind, [dueTime]: sortable(Date.now()) };
      const revision = (before?.revision ?? 0) + 1;
      const key = keyOf(project);
      const item: RetentionRecord = { project_id: project, revision, policy, place: null, swept_at: null };
      const { project_id, ...changes } = item;
      const write: TransactWrite = before
        ? { type: "update", key, changes: { ...changes, ...due }, condition: asRead(before) }
        : { type: "create", key, item: { ...item, ...due } };
      return table.transact([write, ...also]);
    },
    async due(now, limit) {
      return (await table.dueWork(kind, sortable(now), limit)).map((item) => RetentionRecord.parse(item));
    },
    async change(record, changes, due) {
      const revision = record.revision + 1;
      const write: Changes = { ...changes, revision, [dueTime]: sortable(due) };
      const held = await table.update(keyOf(record.project_id), write, asRead(record));
      return held ? { ...record, ...changes, revision } : undefined;
    },
  };
}

export const keepAll: RetentionPolicy = RetentionPolicy.parse({});
