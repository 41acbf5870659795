/**
 * What outlives a row: objects whose row expires, and objects and feedback whose row was deleted. A leftover is written in
 * the transaction of the row that it belongs to and cleared when its time has come, whoever died in between.
 */
import { z } from "zod";
import type { Payload } from "../schemas/payload.ts";
import type { Objects } from "./objects.ts";
import { type Table, type TransactWrite, tableSchema } from "./table.ts";

const Leftover = z.object({
  project_id: z.string(),
  id: z.string(),
  object_keys: z.array(z.string()),
  /** The inference or episode whose feedback goes, too. */
  feedback_of: z.string().nullable(),
});
export type Leftover = z.infer<typeof Leftover>;

export interface Leftovers {
  /** Those whose time has come, of all projects. */
  due(now: number, limit: number): Promise<Leftover[]>;
  clear(leftover: Leftover): Promise<void>;
}

const kind = "leftover";
const keyOf = ({ project_id, id }: Pick<Leftover, "project_id" | "id">) => ({ pk: `${project_id}#leftover`, sk: id });
const sortable = (seconds: number) => new Date(seconds * 1000).toISOString();

/** To be cleared from `due` on, a Unix time in seconds. */
export function leftoverWrite(leftover: Leftover, due: number): TransactWrite {
  const { partition, sort } = tableSchema.workIndex;
  return { type: "put", key: keyOf(leftover), item: { ...leftover, [partition]: kind, [sort]: sortable(due) } };
}

/** What it waited for has come about otherwise. */
export function leftoverGone(leftover: Leftover): TransactWrite {
  return { type: "delete", key: keyOf(leftover) };
}

export function objectKeysOf(payloads: readonly (Payload | null)[]): string[] {
  return payloads.flatMap((payload) => (payload && "object_key" in payload ? [payload.object_key] : []));
}

export function createLeftovers(
  table: Table,
  objects: Pick<Objects, "delete">,
  feedback: { deleteAllOf(project: string, target: string): Promise<void> },
): Leftovers {
  return {
    async due(now, limit) {
      const items = await table.dueWork(kind, sortable(now / 1000), limit);
      return items.map((item) => Leftover.parse(item));
    },
    async clear(leftover) {
      const { project_id, object_keys, feedback_of } = leftover;
      await Promise.all(object_keys.map((key) => objects.delete(key)));
      if (feedback_of !== null) await feedback.deleteAllOf(project_id, feedback_of);
      await table.delete(keyOf(leftover));
    },
  };
}
