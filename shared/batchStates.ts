/** The life of a batch, in OpenAI's states. Whatever has run by then, also of a cancelled or expired one, is in its files. */
import { lifeOf } from "./life.ts";

export const batchStates = [
  "validating",
  "failed",
  "in_progress",
  "finalizing",
  "completed",
  "expired",
  "cancelling",
  "cancelled",
] as const;
export type BatchState = (typeof batchStates)[number];

export const batchLife = lifeOf<BatchState>(
  {
    validating: ["in_progress", "failed", "cancelling"],
    in_progress: ["finalizing", "failed", "cancelling"],
    finalizing: ["completed", "expired", "failed"],
    cancelling: ["cancelled", "failed"],
    completed: [],
    failed: [],
    expired: [],
    cancelled: [],
  },
  ["validating", "in_progress", "finalizing", "cancelling"],
);
