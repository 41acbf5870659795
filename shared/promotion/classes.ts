/** Whether a candidate that is good on the whole has lost a class. */
import { discordanceOf, nonInferiority } from "../statistics/pairedComparison.ts";
import type { PairedItem } from "./paired.ts";

export interface ClassRules {
  /** How far the accuracy on a class's items may fall, such as 0.1. */
  class_drop: number;
  /** Classes with fewer items are not judged. */
  class_items: number;
}

export interface ClassVerdict {
  label: string;
  items: number;
  /** Share of the class's items right: the candidate's less the incumbent's. */
  difference: number;
  /** Of a class that has fallen by what is allowed looking as bad as this, corrected for the number of classes. */
  pValue: number;
  hasFallen: boolean;
}

/** The classes judged, worst first. That any of them is said to have fallen where none has, has a chance of `alpha` (Holm 1979). */
export function judgeClasses(
  items: readonly PairedItem[],
  { class_drop, class_items }: ClassRules,
  alpha: number,
): ClassVerdict[] {
  const byLabel = Map.groupBy(items, ({ label }) => label);
  const judged = [...byLabel].filter(([, own]) => own.length >= class_items);
  const raw = judged.map(([label, own]) => {
    const right = (model: "candidate" | "incumbent") => own.map((item) => item[model] === label);
    const { difference, pValue } = nonInferiority(discordanceOf(right("candidate"), right("incumbent")), class_drop);
    return { label, items: own.length, difference, pValue: 1 - pValue };
  });
  raw.sort((a, b) => a.pValue - b.pValue || a.difference - b.difference);
  let least = 0;
  return raw.map((one, i) => {
    least = Math.max(least, Math.min(1, one.pValue * (raw.length - i)));
    return { ...one, pValue: least, hasFallen: least < alpha };
  });
}
