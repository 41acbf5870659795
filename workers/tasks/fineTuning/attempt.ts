/** One try at a job by one worker: what its phases share. */
import { type Hyperparameters, hyperparametersOf, type JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import type { NewEvent } from "../../../shared/schemas/jobEvent.ts";
import { eventWrite } from "../../../shared/stores/events.ts";
import type { TransactWrite } from "../../../shared/stores/table.ts";
import { type HeldLease, Stopped, stopReason } from "../../lease.ts";
import type { WorkerContext } from "../context.ts";

export interface Attempt {
  context: WorkerContext;
  /** The row as it was when the lease was taken, and what this attempt changed since. */
  job: JobRecord;
  lease: HeldLease;
  /** A temporary directory of this attempt's own. */
  directory: string;
  /** The name of the model to be, the same for every attempt at the job. */
  model: string;
  /** What was learnt until then is charged; see `charge`. */
  charged: { at: number };
}

/** Writes to the row, and what belongs with it, as the holder of the lease; and to the attempt's own copy. */
export async function record(
  attempt: Attempt,
  changes: Partial<JobRecord>,
  writes: readonly TransactWrite[] = [],
): Promise<void> {
  const { context, job, lease } = attempt;
  if (!(await context.stores.jobs.record(job, lease.attempt, changes, writes))) throw await refusal(attempt);
  Object.assign(job, changes);
}

export async function append(attempt: Attempt, event: NewEvent): Promise<void> {
  await record(attempt, {}, [eventWrite(attempt.job, event)]);
}

/** The row refused a write: somebody changed it since the last look, and this tells what for. */
export async function refusal({ context, job, lease }: Attempt): Promise<Stopped> {
  const row = await context.stores.jobs.get(job.project_id, job.id);
  return new Stopped(stopReason(row, lease.attempt, job.status) ?? "lost");
}

/** As the client asked: the job's own are numbers once a first attempt has begun, and a run is known by what was asked. */
export function requestedHyperparameters({ method }: JobRecord): Hyperparameters {
  return hyperparametersOf(method) ?? {};
}
