/** The gate before anybody meets a candidate: is it as good as the incumbent on what was set aside, and on what users say now? */
import { type ClassRules, type ClassVerdict, judgeClasses } from "./classes.ts";
import { comparePaired, type PairedItem, type PairedVerdict } from "./paired.ts";

export interface OfflineRules extends ClassRules {
  /** How much worse a candidate would have to be for its chance of passing to be `alpha` on the frozen test set. */
  margin: number;
  /** The same on recent feedback. */
  recent_margin: number;
  alpha: number;
  /** With fewer items of recent feedback, the frozen test set alone decides. */
  recent_items: number;
}

export const usualOfflineRules: OfflineRules = {
  ...{ margin: 0.005, recent_margin: 0.05, alpha: 0.05, recent_items: 100 },
  ...{ class_drop: 0.1, class_items: 20 },
};

export type OfflineReason = "worse_on_frozen" | "worse_on_recent" | "class_fell";

export interface OfflineVerdict {
  passed: boolean;
  /** What stopped it. */
  reasons: OfflineReason[];
  frozen: PairedVerdict;
  /** Null: too few items to count. */
  recent: PairedVerdict | null;
  /** On the frozen test set, worst first. */
  classes: ClassVerdict[];
}

/** Each test must be passed at `alpha`: a candidate that is worse by a margin anywhere passes all with a chance of `alpha` at most. */
export function judgeOffline(
  frozen: readonly PairedItem[],
  recent: readonly PairedItem[],
  rules: OfflineRules,
): OfflineVerdict {
  const onFrozen = comparePaired(frozen, rules.margin, rules.alpha);
  const counts = recent.length >= Math.max(1, rules.recent_items);
  const onRecent = counts ? comparePaired(recent, rules.recent_margin, rules.alpha) : null;
  const classes = judgeClasses(frozen, rules, rules.alpha);
  const reasons: OfflineReason[] = [];
  if (!onFrozen.nonInferior) reasons.push("worse_on_frozen");
  if (onRecent && !onRecent.nonInferior) reasons.push("worse_on_recent");
  if (classes.some(({ hasFallen }) => hasFallen)) reasons.push("class_fell");
  return { passed: reasons.length === 0, reasons, frozen: onFrozen, recent: onRecent, classes };
}
