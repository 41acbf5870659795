/** The life of an experiment: which state may follow which. */
import { lifeOf } from "./life.ts";

export const experimentStates = ["running", "paused", "ended"] as const;
export type ExperimentState = (typeof experimentStates)[number];

/** While it is paused, the incumbent answers all calls and nobody is exposed; those within keep their arms for its resume. */
export const experimentLife = lifeOf<ExperimentState>(
  {
    running: ["paused", "ended"],
    paused: ["running", "ended"],
    ended: [],
  },
  ["running"],
);
