/** One try at a job by one worker: what its phases share. */
import type { JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import type { NewEvent } from "../../../shared/schemas/jobEvent.ts";
import type { HeldLease, StopReason } from "../../lease.ts";
import type { WorkerContext } from "../context.ts";

export interface Attempt {
  context: WorkerContext;
  /** The row as it was when the lease was taken; `latest_checkpoint` and the like are kept up to date here. */
  job: JobRecord;
  lease: HeldLease;
  /** A temporary directory of this attempt's own. */
  directory: string;
  /** The name of the model to be, the same for every attempt at the job. */
  model: string;
}

/** The attempt was told to put its work down. */
export class Stopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`stopped: ${reason}`);
    this.name = "Stopped";
    this.reason = reason;
  }
}

export function throwIfStopped({ lease }: Attempt): void {
  if (lease.signal.aborted) throw new Stopped(lease.signal.reason as StopReason);
}

/** Writes to the row as the holder of the lease, and to the attempt's own copy. */
export async function record(attempt: Attempt, changes: Partial<JobRecord>): Promise<void> {
  const { context, job, lease } = attempt;
  if (!(await context.stores.jobs.record(job, lease.attempt, changes))) throw new Stopped("lost");
  Object.assign(job, changes);
}

export async function append(attempt: Attempt, event: NewEvent): Promise<void> {
  await attempt.context.stores.events.append(attempt.job, event);
}
