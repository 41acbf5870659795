/** Rare labels: by how much frequent ones are held back, so that rare ones are found too. */
import { evaluate, type LabelledLogits } from "../training/evaluation.ts";

/** From here on the mean of the labels' F1 scores is what is sought, and not the share of right rows. */
const imbalance = 5;
const strengths = [0, 0.25, 0.5, 0.75, 1];
/** What holding back must bring, in macro-F1. */
const leastGain = 0.003;

export function countsOf(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

/** The most frequent label's rows by the rarest's. */
export function imbalanceOf(counts: readonly number[]): number {
  const present = counts.filter((count) => count > 0);
  return Math.max(...present) / Math.min(...present);
}

export interface Balance {
  /** Added to the logits, [classes]. */
  bias: number[];
  /** 0: nothing is held back; 1: as if all labels were as frequent. */
  strength: number;
}

/**
 * Logits less a share of the labels' log-frequencies (Menon et al. 2021, "Long-tail learning via logit adjustment"),
 * chosen by macro-F1 of rows that the model did not learn from. Null where labels are about as frequent, or nothing is won.
 */
export function fitBalance(held: LabelledLogits, counts: readonly number[]): Balance | null {
  if (imbalanceOf(counts) < imbalance) return null;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const biasOf = (strength: number) => counts.map((count) => -strength * Math.log(Math.max(count, 1) / total));
  const scored = strengths.map((strength) => {
    const bias = biasOf(strength);
    return { strength, bias, score: evaluate(withBias(held, bias)).macroF1 };
  });
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
  return best.score < scored[0]!.score + leastGain ? null : { bias: best.bias, strength: best.strength };
}

export function withBias(held: LabelledLogits, bias: readonly number[]): LabelledLogits {
  return { ...held, logits: held.logits.map((value, i) => value + bias[i % held.classes]!) };
}
