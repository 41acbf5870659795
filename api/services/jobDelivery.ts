/** Tells the workers about a job. The row is the truth: if the message cannot be sent, the sweeper sends it later. */
import type { Queue } from "../../shared/queue.ts";
import type { JobName } from "../../shared/stores/jobs.ts";
import type { Observe } from "../requestEvents.ts";

export interface JobDelivery {
  send(job: JobName): Promise<void>;
}

export function createJobDelivery(queue: Pick<Queue, "send">, observe: Observe): JobDelivery {
  return {
    async send(job) {
      try {
        await queue.send({ kind: "fine_tuning_job", project_id: job.project_id, id: job.id });
      } catch (cause) {
        observe({ type: "message_unsent", job_id: job.id, cause });
      }
    },
  };
}
