/**
 * Sends the message of a job that wants a worker and got none: the API died between row and message, or a worker died
 * and its message with it. A message too many is harmless, so the sweeper need not be exact.
 */
import type { Log } from "../shared/log.ts";
import type { Queue } from "../shared/queue.ts";
import type { Jobs } from "../shared/stores/jobs.ts";

/** A job that waits in a long queue is not sent again and again. */
const resendAfterMilliseconds = 15 * 60 * 1000;
const jobsPerSweep = 100;

export async function sweep(jobs: Jobs, queue: Queue, now = Date.now()): Promise<number> {
  const overdue = await jobs.overdue(now, jobsPerSweep);
  for (const job of overdue) {
    await queue.send({ kind: "fine_tuning_job", project_id: job.project_id, id: job.id });
    await jobs.redeliverAt(job, now + resendAfterMilliseconds);
  }
  return overdue.length;
}

export function startSweeper(jobs: Jobs, queue: Queue, seconds: number, log: Log): { stop(): void } {
  const timer = setInterval(() => {
    sweep(jobs, queue).then(
      (sent) => sent && log.warn({ sent }, "jobs without a message were sent again"),
      (error) => log.error({ error }, "sweep failed"),
    );
  }, seconds * 1000);
  return { stop: () => clearInterval(timer) };
}
