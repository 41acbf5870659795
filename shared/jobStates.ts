/** The life of a fine-tuning job: which state may follow which. Everything that changes a job's state reads this table. */
import { lifeOf } from "./life.ts";

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

/** `running -> queued` is a worker giving the job back (deploy, spot interruption); `paused -> queued` is a resume. */
export const jobLife = lifeOf<JobState>(
  {
    validating_files: ["queued", "paused", "failed", "cancelled"],
    queued: ["running", "paused", "failed", "cancelled"],
    running: ["succeeded", "failed", "cancelled", "paused", "queued"],
    paused: ["queued", "validating_files", "cancelled"],
    succeeded: [],
    failed: [],
    cancelled: [],
  },
  ["validating_files", "queued", "running"],
);

export const { before: statesBefore, isFinal, working: unfinishedWork } = jobLife;
