/** One try at a batch by one worker: what its steps share. */
import { batchLife } from "../../../shared/batchStates.ts";
import type { AnyEndpoint } from "../../../shared/inference/endpoints.ts";
import type { BatchRecord } from "../../../shared/schemas/batch.ts";
import type { ProjectRecord } from "../../../shared/schemas/project.ts";
import type { TransactWrite } from "../../../shared/stores/table.ts";
import { type HeldLease, Stopped, type StopReason } from "../../lease.ts";
import type { WorkerContext } from "../context.ts";

export interface Attempt {
  context: WorkerContext;
  /** The row as it was last read, and what this attempt changed since. */
  batch: BatchRecord;
  project: ProjectRecord;
  endpoint: AnyEndpoint;
  lease: HeldLease;
  /** The input file, fetched. */
  input: string;
  /** Aborts with `Stopped` when everything must be let go at once: not for a cancellation, which lets lines end. */
  halt: AbortSignal;
}

/** Of a lease: all but a cancellation. */
export function haltOf({ signal }: HeldLease): AbortSignal {
  const halt = new AbortController();
  const onAbort = () => {
    const reason = signal.reason as StopReason;
    if (reason !== "cancelled") halt.abort(new Stopped(reason));
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return halt.signal;
}

/** Writes to the row, and what belongs with it, as the holder of the lease, and to the attempt's own copy. */
export async function record(
  attempt: Attempt,
  changes: Partial<BatchRecord>,
  writes: readonly TransactWrite[] = [],
): Promise<void> {
  const { context, batch, lease } = attempt;
  if (!(await context.stores.batches.record(batch, lease.attempt, changes, writes))) throw new Stopped("lost");
  Object.assign(batch, changes);
}

/** Takes in what others did to the row, such as cancelling it. */
export async function refresh({ context, batch, lease }: Attempt): Promise<void> {
  const row = await context.stores.batches.get(batch.project_id, batch.id);
  if (!row) throw new Stopped("lost");
  Object.assign(batch, row);
  if (!batchLife.isFinal(row.status) && row.lease?.attempt_id !== lease.attempt) throw new Stopped("lost");
}
