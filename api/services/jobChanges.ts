/** What a client may do to a job, and in which states. */
import { ApiError } from "../../shared/errors.ts";
import { type JobState, statesBefore } from "../../shared/jobStates.ts";
import type { JobRecord } from "../../shared/schemas/fineTuningJob.ts";

export type Change = "cancel" | "pause" | "resume";

interface Rule {
  to(job: JobRecord): JobState;
  /** States in which there is nothing left to do: asking twice is no error. */
  done: readonly JobState[];
  from: readonly JobState[];
  event: string;
}

export const changes: Record<Change, Rule> = {
  cancel: { to: () => "cancelled", done: ["cancelled"], from: statesBefore("cancelled"), event: "Job cancelled" },
  pause: { to: () => "paused", done: ["paused"], from: statesBefore("paused"), event: "Job paused" },
  resume: {
    to: (job) => (job.validated ? "queued" : "validating_files"),
    done: ["validating_files", "queued", "running"],
    from: ["paused"],
    event: "Job resumed",
  },
};

/** The state to move to; undefined when the job is already where the client wants it. */
export function decide(job: JobRecord, change: Change): JobState | undefined {
  const rule = changes[change];
  if (rule.done.includes(job.status)) return undefined;
  if (rule.from.includes(job.status)) return rule.to(job);
  throw new ApiError("invalid_state", `Cannot ${change} fine-tuning job '${job.id}': it is ${job.status}.`, {
    param: "id",
  });
}
