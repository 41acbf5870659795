/** The life of a promotion, from the trigger of a turn to the model that serves: which state may follow which, and what a human may ask. */
import { lifeOf } from "./life.ts";

export const promotionStates = [
  "collecting",
  "checking_data",
  "training",
  "judging",
  "canary",
  "promoted",
  "rejected",
  "rolled_back",
  "held",
] as const;
export type PromotionState = (typeof promotionStates)[number];

/**
 * What stops on the way is not lost: a human may hold a step, pass one that a check has stopped (`force`) or take a promoted
 * candidate back (`revert`). Only a candidate that a human took back has nothing to follow.
 */
export const promotionLife = lifeOf<PromotionState>(
  {
    collecting: ["checking_data", "rejected", "held"],
    checking_data: ["training", "rejected", "held"],
    training: ["judging", "rejected", "held"],
    judging: ["canary", "promoted", "rejected", "held"],
    canary: ["promoted", "rolled_back", "held"],
    held: ["collecting", "checking_data", "training", "judging", "canary", "promoted", "rejected", "rolled_back"],
    rejected: ["training", "canary", "promoted"],
    promoted: ["rolled_back"],
    rolled_back: [],
  },
  ["collecting", "checking_data", "training", "judging", "canary"],
);

/** The steps at which a promotion can stand: what is worked on, and where one that was held or stopped goes on. */
export const promotionSteps = ["collecting", "checking_data", "training", "judging", "canary"] as const;
export type PromotionStep = (typeof promotionSteps)[number];

/** What a step leads to when it is passed, whether by its check or by a human. Without a canary, judging is the last. */
export function stepAfter(step: PromotionStep, hasCanary: boolean): PromotionState {
  const next = promotionSteps[promotionSteps.indexOf(step) + 1];
  return next === undefined || (next === "canary" && !hasCanary) ? "promoted" : next;
}

/** What a step leads to when it is not passed: a candidate that nobody has met is rejected, one that serves is rolled back. */
export const stopOf = (step: PromotionStep): PromotionState => (step === "canary" ? "rolled_back" : "rejected");

export const humanVerbs = ["hold", "resume", "force", "revert"] as const;
export type HumanVerb = (typeof humanVerbs)[number];

/** The states from which a human may ask for each. */
export const verbStates: Record<HumanVerb, readonly PromotionState[]> = {
  hold: promotionLife.working,
  resume: ["held"],
  force: ["checking_data", "judging", "canary", "held", "rejected"],
  revert: [...promotionLife.working, "held", "promoted"],
};
