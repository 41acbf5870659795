/** The life of an eval run, in OpenAI's states; one that is being deleted is told of to nobody. */
import { lifeOf } from "./life.ts";

export const toldStates = ["queued", "in_progress", "completed", "canceled", "failed"] as const;
export const evalRunStates = [...toldStates, "deleting"] as const;
export type EvalRunState = (typeof evalRunStates)[number];

export const evalRunLife = lifeOf<EvalRunState>(
  {
    queued: ["in_progress", "canceled", "failed", "deleting"],
    in_progress: ["completed", "canceled", "failed", "deleting"],
    completed: ["deleting"],
    canceled: ["deleting"],
    failed: ["deleting"],
    deleting: [],
  },
  ["queued", "in_progress", "deleting"],
);
