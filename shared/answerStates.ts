/** The life of an answer that a worker makes for the API. */
import { lifeOf } from "./life.ts";

export const answerStates = ["queued", "running", "completed", "failed", "cancelled"] as const;
export type AnswerState = (typeof answerStates)[number];

/** `running -> queued` is a worker giving it back. */
export const answerLife = lifeOf<AnswerState>(
  {
    queued: ["running", "failed", "cancelled"],
    running: ["completed", "queued", "failed", "cancelled"],
    completed: [],
    failed: [],
    cancelled: [],
  },
  ["queued", "running"],
);
