/** Holding a job: the lease is renewed while work goes on, and whatever ends the work arrives as one signal. */
import type { JobState } from "../shared/jobStates.ts";
import type { JobRecord } from "../shared/schemas/fineTuningJob.ts";
import type { Jobs } from "../shared/stores/jobs.ts";
import { newLease } from "../shared/stores/jobs.ts";

/** Why an attempt must put its work down. */
export type StopReason = "paused" | "cancelled" | "lost" | "shutdown";

export interface HeldLease {
  attempt: string;
  /** Aborts with a `StopReason`. */
  signal: AbortSignal;
  /** Ends renewing; the row keeps the lease until it is released there. */
  end(): void;
}

export interface LeaseOptions {
  leaseSeconds: number;
  pollSeconds: number;
  shutdown: AbortSignal;
}

/**
 * Takes the lease on a job and brings `job` up to date, or returns undefined when another worker holds it. A predecessor
 * that let its lease run out died at work: that counts as a failure, in the same write.
 */
export async function takeLease(jobs: Jobs, job: JobRecord, options: LeaseOptions): Promise<HeldLease | undefined> {
  const lease = newLease(options.leaseSeconds);
  const changes = job.lease ? { failures: job.failures + 1 } : {};
  if (!(await jobs.acquire(job, lease, changes))) return undefined;
  Object.assign(job, await jobs.get(job.project_id, job.id));
  return hold(jobs, job, lease.attempt_id, options);
}

function hold(jobs: Jobs, job: JobRecord, attempt: string, options: LeaseOptions): HeldLease {
  const controller = new AbortController();
  const stop = (reason: StopReason) => controller.abort(reason);
  const onShutdown = () => stop("shutdown");
  if (options.shutdown.aborted) onShutdown();
  options.shutdown.addEventListener("abort", onShutdown, { once: true });

  let expiresAt = Date.now() + options.leaseSeconds * 1000;
  let nextRenewal = Date.now() + (options.leaseSeconds * 1000) / 3;
  const beat = async () => {
    const believed = job.status;
    const reason = stopReason(await jobs.get(job.project_id, job.id), attempt, believed);
    if (reason) return stop(reason);
    if (Date.now() < nextRenewal) return;
    const lease = newLease(options.leaseSeconds, attempt);
    if (!(await jobs.renew(job, lease))) return;
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
 * `believed` is the state the attempt thinks the job is in. A job that was running and now waits was paused and resumed
 * between two looks: it is put down as for the pause, and the resume finds it in the queue.
 */
export function stopReason(row: JobRecord | undefined, attempt: string, believed: JobState): StopReason | undefined {
  if (row?.status === "cancelled") return "cancelled";
  if (row?.lease?.attempt_id !== attempt) return "lost";
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
