/**
 * Does what was left undone. Sends the message of a row that wants a worker and got none: the API died between row and message, or a worker died
 * and its message with it. A message too many is harmless, so the sweeper need not be exact.
 * And clears what outlives rows that are gone, and destroys organizations' keys that were deleted.
 */
import type { OrganizationKeys } from "../shared/encryption/organizationKeys.ts";
import type { Log } from "../shared/log.ts";
import type { MessageKind } from "../shared/messages.ts";
import type { Queue } from "../shared/queue.ts";
import { eraseProjects } from "../shared/retention/erase.ts";
import { sweepRetention } from "../shared/retention/sweep.ts";
import type { RowName } from "../shared/stores/leasedRows.ts";
import type { Leftovers } from "../shared/stores/leftovers.ts";
import type { Stores } from "../shared/stores/stores.ts";

/** A row that waits in a long queue is not sent again and again. */
const resendAfterMilliseconds = 15 * 60 * 1000;
const rowsPerSweep = 100;

/** Rows of one kind, as far as the sweeper knows them. */
export interface SweptRows {
  kind: MessageKind;
  /** Whether its rows ask to be looked at again and again, so that a message of the sweeper's is nothing to warn of. */
  readonly wakes?: boolean;
  overdue(now: number, limit: number): Promise<RowName[]>;
  postpone(row: RowName, now: number, time: number): Promise<boolean>;
}

export async function sweep(rows: SweptRows, queue: Pick<Queue, "send">, now = Date.now()): Promise<number> {
  const overdue = await rows.overdue(now, rowsPerSweep);
  for (const row of overdue) {
    await queue.send(rows.kind, row);
    await rows.postpone(row, now, now + resendAfterMilliseconds);
  }
  return overdue.length;
}

/** As many at once as the sweeper clears rows of messages. */
export async function clearLeftovers(leftovers: Leftovers, now = Date.now()): Promise<number> {
  const due = await leftovers.due(now, rowsPerSweep);
  for (const leftover of due) await leftovers.clear(leftover);
  return due.length;
}

/** Of organizations whose key was deleted by somebody who died before it was destroyed. */
export function destroyKeys(keys: Pick<OrganizationKeys, "destroyAll">): Promise<number> {
  return keys.destroyAll(rowsPerSweep);
}

/** What a worker may have on its way to the bucket when a project is erased. */
const settleSeconds = 60;
const stepsPerSweep = 20;

/** A step each of what retention and erasures have to do, and more while there is more. */
export async function keepNoLonger(stores: Stores, settle = settleSeconds): Promise<void> {
  for (let steps = 0; steps < stepsPerSweep; steps++) {
    const swept = await sweepRetention(stores);
    const erased = await eraseProjects(stores, settle);
    if (swept === undefined && !erased) return;
  }
}

export interface Swept {
  kinds: readonly SweptRows[];
  leftovers?: Leftovers;
  /** Undefined also where nothing is sealed. */
  keys?: Pick<OrganizationKeys, "destroyAll"> | undefined;
  /** Where policies and erasures of projects are kept, and what they remove. */
  retention?: Stores;
}

export function startSweeper(
  { kinds, leftovers, keys, retention }: Swept,
  queue: Pick<Queue, "send">,
  seconds: number,
  log: Log,
): { stop(): void } {
  const timer = setInterval(() => {
    for (const rows of kinds) {
      sweep(rows, queue).then(
        (sent) => {
          if (sent && rows.wakes) log.debug({ kind: rows.kind, sent }, "rows are looked at again");
          else if (sent) log.warn({ kind: rows.kind, sent }, "rows without a message were sent again");
        },
        (error) => log.error({ kind: rows.kind, error }, "sweep failed"),
      );
    }
    if (leftovers) clearLeftovers(leftovers).catch((error) => log.error({ error }, "leftovers were not cleared"));
    if (retention) keepNoLonger(retention).catch((error) => log.error({ error }, "what is due was not removed"));
    if (keys) destroyKeys(keys).catch((error) => log.error({ error }, "deleted keys were not destroyed"));
  }, seconds * 1000);
  return { stop: () => clearInterval(timer) };
}
