/** Holding a row: the lease is renewed while work goes on, and whatever ends the work arrives as one signal. */
import { type LeasedRow, type LeasedRows, newLease } from "../shared/stores/leasedRows.ts";

/** Why an attempt must put its work down. */
export type StopReason = "paused" | "cancelled" | "lost" | "shutdown";

/** The attempt was told to put its work down. */
export class Stopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`stopped: ${reason}`);
    this.name = "Stopped";
    this.reason = reason;
  }
}

export interface HeldLease {
  attempt: string;
  /** Aborts with a `StopReason`. */
  signal: AbortSignal;
  /** Ends renewing; the row keeps the lease until it is released there. */
  end(): void;
}

/** Where work looks whether it must be put down. */
export function throwIfStopped({ lease }: { readonly lease: HeldLease }): void {
  if (lease.signal.aborted) throw new Stopped(lease.signal.reason as StopReason);
}

export interface LeaseOptions {
  leaseSeconds: number;
  pollSeconds: number;
  shutdown: AbortSignal;
}

type Row = LeasedRow<string>;
type Rows<Kind extends Row> = Pick<LeasedRows<Kind["status"], Kind>, "acquire" | "get" | "renew">;

/**
 * Takes the lease on a row and brings `row` up to date, or returns undefined when another worker holds it. A predecessor
 * that let its lease run out died at work: that counts as a failure, in the same write.
 */
export async function takeLease<Kind extends Row>(
  rows: Rows<Kind>,
  row: Kind,
  options: LeaseOptions,
): Promise<HeldLease | undefined> {
  const lease = newLease(options.leaseSeconds);
  const changes = (row.lease ? { failures: row.failures + 1 } : {}) as Partial<Kind>;
  if (!(await rows.acquire(row, lease, changes))) return undefined;
  Object.assign(row, await rows.get(row.project_id, row.id));
  return hold(rows, row, lease.attempt_id, options);
}

function hold<Kind extends Row>(rows: Rows<Kind>, row: Kind, attempt: string, options: LeaseOptions): HeldLease {
  const controller = new AbortController();
  const stop = (reason: StopReason) => controller.abort(reason);
  const onShutdown = () => stop("shutdown");
  if (options.shutdown.aborted) onShutdown();
  options.shutdown.addEventListener("abort", onShutdown, { once: true });

  let expiresAt = Date.now() + options.leaseSeconds * 1000;
  let nextRenewal = Date.now() + (options.leaseSeconds * 1000) / 3;
  const beat = async () => {
    const believed = row.status;
    const reason = stopReason(await rows.get(row.project_id, row.id), attempt, believed);
    if (reason) stop(reason);
    // Told to stop, it may have work to put down, and holds the row until it has.
    if (reason === "lost" || Date.now() < nextRenewal) return;
    const lease = newLease(options.leaseSeconds, attempt);
    if (!(await rows.renew(row, lease))) return;
    expiresAt = lease.expires_at;
    nextRenewal = Date.now() + (options.leaseSeconds * 1000) / 3;
  };
  const timer = everyWhile(options.pollSeconds * 1000, beat, () => {
    // The table is out of reach: once the lease has run out, somebody else may be at work.
    if (Date.now() > expiresAt) stop("lost");
  });
  return {
    attempt,
    signal: controller.signal,
    end() {
      timer.stop();
      options.shutdown.removeEventListener("abort", onShutdown);
    },
  };
}

/**
 * `believed` is the state the attempt thinks the row is in. One that was running and now waits was paused and resumed
 * between two looks: it is put down as for the pause, and the resume finds it in the queue.
 */
export function stopReason(row: Row | undefined, attempt: string, believed: string): StopReason | undefined {
  if (row?.status === "cancelled") return "cancelled";
  if (row?.lease?.attempt_id !== attempt) return "lost";
  if (row.status === "cancelling") return "cancelled";
  if (row.status === "paused" || (believed === "running" && row.status === "queued")) return "paused";
  return undefined;
}

/** Runs `work` again and again with a pause between, never twice at once. */
function everyWhile(milliseconds: number, work: () => Promise<void>, onError: (error: unknown) => void) {
  let timer: NodeJS.Timeout;
  let stopped = false;
  const next = () => {
    if (!stopped) timer = setTimeout(() => void work().catch(onError).finally(next), milliseconds);
  };
  next();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
