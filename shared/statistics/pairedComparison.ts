/** Two models on the same items, by the items on which just one of them is right. */
import { checkCount, checkProbability } from "./checks.ts";
import { binomialCdf, normalCdf, normalQuantile } from "./distributions.ts";
import type { Interval } from "./proportions.ts";

export interface Discordance {
  /** All items. */
  items: number;
  /** Items that only the candidate has right. */
  onlyCandidate: number;
  /** Items that only the incumbent has right. */
  onlyIncumbent: number;
}

/** By item: whether each model has it right. */
export function discordanceOf(candidate: ArrayLike<unknown>, incumbent: ArrayLike<unknown>): Discordance {
  if (candidate.length !== incumbent.length) {
    throw new RangeError(`incumbent must be as long as candidate (${candidate.length}), not ${incumbent.length}.`);
  }
  const found = { items: candidate.length, onlyCandidate: 0, onlyIncumbent: 0 };
  for (let i = 0; i < candidate.length; i++) {
    if (candidate[i] && !incumbent[i]) found.onlyCandidate++;
    else if (incumbent[i] && !candidate[i]) found.onlyIncumbent++;
  }
  return found;
}

function check({ items, onlyCandidate, onlyIncumbent }: Discordance): void {
  checkCount("items", items, 1);
  checkCount("onlyCandidate", onlyCandidate);
  checkCount("onlyIncumbent", onlyIncumbent);
  if (onlyCandidate + onlyIncumbent > items) {
    throw new RangeError(`items must be at least onlyCandidate + onlyIncumbent, not ${items}.`);
  }
}

export interface McNemar {
  /** Two-sided, exact; conservative. */
  pValue: number;
  /** Less half of the chance of what was seen: nearer to its level (Fagerland, Lydersen and Laake 2013). */
  midPValue: number;
}

/** McNemar 1947, by the binomial distribution. */
export function mcNemar(discordance: Discordance): McNemar {
  check(discordance);
  const { onlyCandidate, onlyIncumbent } = discordance;
  const [trials, fewer] = [onlyCandidate + onlyIncumbent, Math.min(onlyCandidate, onlyIncumbent)];
  const pValue = Math.min(1, 2 * binomialCdf(fewer, trials, 0.5));
  if (onlyCandidate === onlyIncumbent) {
    const seen = binomialCdf(fewer, trials, 0.5) - binomialCdf(fewer - 1, trials, 0.5);
    return { pValue, midPValue: trials === 0 ? 1 : 1 - 0.5 * seen };
  }
  const midPValue = binomialCdf(fewer, trials, 0.5) + binomialCdf(fewer - 1, trials, 0.5);
  return { pValue, midPValue };
}

/**
 * How many standard errors the accuracies differ by, beyond a true difference of `margin` (Tango 1998, "Equivalence test
 * and confidence interval for the difference in proportions for the paired-sample design"). The variance is that of the
 * likeliest chances whose difference is the margin.
 */
function scoreAt({ items, onlyCandidate, onlyIncumbent }: Discordance, margin: number): number {
  const linear = (2 * items - onlyCandidate + onlyIncumbent) * margin - onlyCandidate - onlyIncumbent;
  const constant = -onlyIncumbent * margin * (1 - margin);
  const chance = (Math.sqrt(Math.max(0, linear ** 2 - 8 * items * constant)) - linear) / (4 * items);
  const variance = items * (2 * chance + margin * (1 - margin));
  const distance = onlyCandidate - onlyIncumbent - items * margin;
  if (variance <= 0) return distance === 0 ? 0 : Math.sign(distance) * Infinity;
  return distance / Math.sqrt(variance);
}

/** Accuracy of the candidate less that of the incumbent: the differences that the score test does not refuse. */
export function pairedInterval(discordance: Discordance, alpha = 0.05): Interval {
  check(discordance);
  checkProbability("alpha", alpha);
  const z = -normalQuantile(alpha / 2);
  const estimate = (discordance.onlyCandidate - discordance.onlyIncumbent) / discordance.items;
  const edge = (outside: number, level: number) => {
    // The score falls as the margin rises.
    let [low, high] = [Math.min(estimate, outside), Math.max(estimate, outside)];
    for (let halving = 0; halving < 60; halving++) {
      const middle = (low + high) / 2;
      if (scoreAt(discordance, middle) > level) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return { estimate, lower: edge(-1, z), upper: edge(1, -z) };
}

export interface NonInferiority {
  difference: number;
  /** One-sided: of a candidate that is worse by the margin looking as good as this. */
  pValue: number;
  /** The candidate is worse by less than the margin. */
  nonInferior: boolean;
}

/** Whether a candidate's accuracy is less than the incumbent's by `margin` (such as 0.01) at most. */
export function nonInferiority(discordance: Discordance, margin: number, alpha = 0.05): NonInferiority {
  check(discordance);
  checkProbability("margin", margin);
  checkProbability("alpha", alpha);
  const pValue = normalCdf(-scoreAt(discordance, -margin));
  const difference = (discordance.onlyCandidate - discordance.onlyIncumbent) / discordance.items;
  return { difference, pValue, nonInferior: pValue < alpha };
}
