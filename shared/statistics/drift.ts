/** How far a window lies from the reference, by counts of categories or by numbers. */

import { quantile } from "./bootstrap.ts";
import { checkCount, checkSameLength, checkValues, checkWithin } from "./checks.ts";
import { kolmogorovSurvival } from "./distributions.ts";

/** Shares of counts, to each of which `more` is added. */
function sharesOf(name: string, counts: ArrayLike<number>, more: number): Float64Array {
  for (let i = 0; i < counts.length; i++) checkWithin(`${name}[${i}]`, counts[i]!, [0, Number.MAX_VALUE]);
  const raised = Float64Array.from(counts, (count) => count + more);
  const sum = raised.reduce((all, count) => all + count, 0);
  if (sum === 0) throw new RangeError(`${name} must hold a count above 0.`);
  return raised.map((count) => count / sum);
}

/**
 * Population stability index (Siddiqi 2006, "Credit risk scorecards"), from counts by bin or category. Half a count is added to each, since
 * an empty one would make it infinite.
 */
export function populationStability(reference: ArrayLike<number>, window: ArrayLike<number>): number {
  checkSameLength("window", window, "reference", reference.length);
  const [p, q] = [sharesOf("reference", reference, 0.5), sharesOf("window", window, 0.5)];
  return p.reduce((sum, share, i) => sum + (q[i]! - share) * Math.log(q[i]! / share), 0);
}

/** Of counts, from 0 to 1: the root of the divergence in bits (Endres and Schindelin 2003). */
export function jensenShannonDistance(reference: ArrayLike<number>, window: ArrayLike<number>): number {
  checkSameLength("window", window, "reference", reference.length);
  const [p, q] = [sharesOf("reference", reference, 0), sharesOf("window", window, 0)];
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const middle = (p[i]! + q[i]!) / 2;
    for (const share of [p[i]!, q[i]!]) if (share > 0) sum += (share / 2) * Math.log2(share / middle);
  }
  return Math.sqrt(Math.max(0, sum));
}

/** Ends of bins that hold as much of the reference each, ascending; fewer where values repeat. */
export function binEnds(reference: ArrayLike<number>, bins = 10): number[] {
  checkValues("reference", reference);
  checkCount("bins", bins, 2);
  const ascending = Float64Array.from(reference).sort();
  return [...new Set(Array.from({ length: bins - 1 }, (_, i) => quantile(ascending, (i + 1) / bins)))];
}

/** How many values each bin holds, an end belonging to the bin below it: [ends + 1]. */
export function binCounts(values: ArrayLike<number>, ends: readonly number[]): Float64Array {
  const counts = new Float64Array(ends.length + 1);
  for (let i = 0; i < values.length; i++) {
    const bin = ends.findIndex((end) => values[i]! <= end);
    counts[bin < 0 ? ends.length : bin]!++;
  }
  return counts;
}

export interface KolmogorovSmirnov {
  /** The greatest distance of the two distribution functions. */
  statistic: number;
  /** In the limit of many values; too great where values repeat. */
  pValue: number;
}

/** Kolmogorov 1933 and Smirnov 1939, of two samples. */
export function kolmogorovSmirnov(first: ArrayLike<number>, second: ArrayLike<number>): KolmogorovSmirnov {
  checkValues("first", first);
  checkValues("second", second);
  const [a, b] = [first, second].map((values) => Float64Array.from(values).sort()) as [Float64Array, Float64Array];
  let [i, j, statistic] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (a[i] === value) i++;
    while (b[j] === value) j++;
    statistic = Math.max(statistic, Math.abs(i / a.length - j / b.length));
  }
  const size = (a.length * b.length) / (a.length + b.length);
  return { statistic, pValue: Math.min(1, kolmogorovSurvival(Math.sqrt(size) * statistic)) };
}
