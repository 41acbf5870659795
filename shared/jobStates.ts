/** The life of a fine-tuning job: which state may follow which. Everything that changes a job's state reads this table. */

export const jobStates = [
  "validating_files",
  "queued",
  "running",
  "paused",
  "succeeded",
  "failed",
  "cancelled",
] as const;
export type JobState = (typeof jobStates)[number];

/**
 * `running -> queued` is a worker giving the job back (deploy, spot interruption); `paused -> queued` is a resume.
 * A state with no successors is final.
 */
const successors: Record<JobState, readonly JobState[]> = {
  validating_files: ["queued", "paused", "failed", "cancelled"],
  queued: ["running", "paused", "failed", "cancelled"],
  running: ["succeeded", "failed", "cancelled", "paused", "queued"],
  paused: ["queued", "validating_files", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

/** The states from which `to` may be reached. */
export function statesBefore(to: JobState): JobState[] {
  return jobStates.filter((state) => successors[state].includes(to));
}

export function isFinal(state: JobState): boolean {
  return successors[state].length === 0;
}

/** States in which a worker should be busy with the job, or soon will be. */
export const unfinishedWork: readonly JobState[] = ["validating_files", "queued", "running"];
