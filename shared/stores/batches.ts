/** Rows of batches. Each change of state notes its time. */
import { type BatchState, batchLife } from "../batchStates.ts";
import { BatchRecord } from "../schemas/batch.ts";
import { createLeasedRows, type LeasedRows } from "./leasedRows.ts";
import type { Table } from "./table.ts";

export interface Batches extends Omit<LeasedRows<BatchState, BatchRecord>, "list"> {
  /** Newest first. */
  list(project: string, options: { limit: number; after?: string }): Promise<BatchRecord[]>;
}

export function createBatches(table: Table): Batches {
  const rows = createLeasedRows<BatchState, BatchRecord>(table, {
    kind: "batch",
    noun: "batch",
    parse: (item) => BatchRecord.parse(item),
    life: batchLife,
    settles: ["completed", "failed", "expired", "cancelled"],
    tells: {
      completed: "batch.completed",
      failed: "batch.failed",
      expired: "batch.expired",
      cancelled: "batch.cancelled",
    },
  });
  return {
    ...rows,
    list: (project, options) => rows.list(project, { ...options, descending: true }),
    transition(batch, to, options = {}) {
      const at = { [`${to}_at`]: Math.floor(Date.now() / 1000) };
      return rows.transition(batch, to, { ...options, changes: { ...at, ...options.changes } });
    },
  };
}
