/** The task behind a row that one attempt at a time may hold: it is taken, worked on, and let go however the attempt ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LeasedRow, LeasedRows } from "../shared/stores/leasedRows.ts";
import { type HeldLease, type LeaseOptions, takeLease } from "./lease.ts";
import type { Outcome, Task } from "./task.ts";

/** Rows that a worker may take. */
export type TakenRows<State extends string, Row extends LeasedRow<State>> = Pick<
  LeasedRows<State, Row>,
  "get" | "acquire" | "renew"
>;

export interface LeasedWork<State extends string, Row extends LeasedRow<State>> {
  rows: TakenRows<State, Row>;
  /** States in which a row wants a worker. */
  working: readonly State[];
  attempt(row: Row, lease: HeldLease): Promise<Outcome>;
}

/** A message for a row that wants no worker, or that another one holds, is done with: should they die, the sweeper sends another. */
export function leasedTask<State extends string, Row extends LeasedRow<State>>(
  options: Omit<LeaseOptions, "shutdown">,
  { rows, working, attempt }: LeasedWork<State, Row>,
): Task {
  return async ({ project_id, id }, shutdown) => {
    const row = await rows.get(project_id, id);
    if (!row || !working.includes(row.status)) return { type: "done" };
    const { leaseSeconds, pollSeconds } = options;
    const lease = await takeLease(rows, row, { leaseSeconds, pollSeconds, shutdown });
    if (!lease) return { type: "done" };
    try {
      return await attempt(row, lease);
    } finally {
      lease.end();
    }
  };
}

/** Gives `work` an empty temporary directory, gone when it ends. */
export async function inDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-"));
  try {
    return await work(directory);
  } finally {
    // A device that was killed may be writing its last file there.
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
