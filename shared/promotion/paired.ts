/** Candidate and incumbent on the same labelled items, some of which stand for several. */
import { normalCdf } from "../statistics/distributions.ts";
import { discordanceOf, type NonInferiority, nonInferiority } from "../statistics/pairedComparison.ts";

export interface PairedItem {
  label: string;
  candidate: string;
  incumbent: string;
  /** How many items it stands for. Default 1. */
  weight?: number | undefined;
}

export interface PairedVerdict extends NonInferiority {
  items: number;
  /** Shares of items answered right, each counted by its weight. */
  candidate: number;
  incumbent: number;
  margin: number;
}

const hits = (items: readonly PairedItem[], model: "candidate" | "incumbent") =>
  items.map((item) => item[model] === item.label);

/** Whether the candidate's accuracy is less than the incumbent's by `margin` at most. Of no items: not proven. */
export function comparePaired(items: readonly PairedItem[], margin: number, alpha: number): PairedVerdict {
  const [candidate, incumbent] = [hits(items, "candidate"), hits(items, "incumbent")];
  const weights = items.map(({ weight = 1 }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = (right: boolean[]) =>
    total && right.reduce((sum, isRight, i) => sum + (isRight ? weights[i]! : 0), 0) / total;
  const told = { items: items.length, candidate: share(candidate), incumbent: share(incumbent), margin };
  if (items.length === 0) return { ...told, difference: 0, pValue: 1, nonInferior: false };
  if (weights.every((weight) => weight === 1)) {
    return { ...told, ...nonInferiority(discordanceOf(candidate, incumbent), margin, alpha) };
  }
  const differences = candidate.map((isRight, i) => Number(isRight) - Number(incumbent[i]));
  return { ...told, ...weighted(differences, weights, margin, alpha) };
}

/**
 * The same where items weigh differently: a ratio estimator and its linearised variance (Lumley 2010, "Complex surveys", 2.2).
 * An item more that speaks for either model keeps the variance of few items from being nothing.
 */
function weighted(
  differences: readonly number[],
  weights: readonly number[],
  margin: number,
  alpha: number,
): NonInferiority {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const difference = differences.reduce((sum, d, i) => sum + weights[i]! * d, 0) / total;
  const squares = differences.reduce((sum, d, i) => sum + (weights[i]! * (d - difference)) ** 2, 0);
  const pValue = normalCdf((-(difference + margin) * total) / Math.sqrt(squares + 1));
  return { difference, pValue, nonInferior: pValue < alpha };
}
