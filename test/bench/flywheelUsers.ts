/** Simulated users: they see an answer, accept or reject it, mostly as it deserves, and some tell the right one. */
import type { JudgedAnswer } from "../../shared/promotion/feedbackItems.ts";
import { type Random, randomOf } from "../../shared/statistics/random.ts";
import type { Row } from "../examples/customer.ts";

export interface Habits {
  /** Share who say the opposite of what they think. */
  noise: number;
  /** Share of those who reject an answer that tell the right one. */
  corrected: number;
}

export const usualHabits: Habits = { noise: 0.05, corrected: 0.3 };

/** What users say of the answers to `rows`, whose labels are the truth. */
export function judgeAnswers(
  rows: readonly Row[],
  answers: readonly string[],
  { noise, corrected }: Habits,
  random: Random,
): JudgedAnswer[] {
  return rows.map(({ label }, i) => {
    const answer = answers[i]!;
    const accepted = (answer === label) !== random.uniform() < noise;
    return !accepted && random.uniform() < corrected ? { answer, accepted, correction: label } : { answer, accepted };
  });
}

/** `share` of the rows with another label, drawn from all. */
export function flipLabels(rows: readonly Row[], names: readonly string[], share: number, seed: number): Row[] {
  const random = randomOf(seed, 30);
  return rows.map((row) => {
    if (random.uniform() >= share) return row;
    const others = names.filter((name) => name !== row.label);
    return { ...row, label: others[random.below(others.length)]! };
  });
}
