/** Intervals of any statistic of items, by drawing them again (Efron and Tibshirani 1993, "An introduction to the bootstrap"). */
import { checkCount, checkProbability } from "./checks.ts";
import { normalCdf, normalQuantile } from "./distributions.ts";
import type { Interval } from "./proportions.ts";
import { randomOf } from "./random.ts";

export interface BootstrapOptions {
  alpha?: number;
  /** Default 2,000. */
  resamples?: number;
  seed: number;
  /** Percentile, or corrected for bias and for a spread that changes (default): a statistic more an item, once. */
  method?: "percentile" | "bca";
}

/** Of the items with these indices, with repetition. A paired difference reads both models' answers at each. */
export type Statistic = (items: Int32Array) => number;

export function bootstrapInterval(
  items: number,
  statistic: Statistic,
  { alpha = 0.05, resamples = 2000, seed, method = "bca" }: BootstrapOptions,
): Interval {
  checkCount("items", items, 2);
  checkCount("resamples", resamples, 100);
  checkProbability("alpha", alpha);
  const random = randomOf(seed);
  const all = Int32Array.from({ length: items }, (_, i) => i);
  const estimate = statistic(all);
  const drawn = new Int32Array(items);
  const estimates = Float64Array.from({ length: resamples }, () => {
    for (let i = 0; i < items; i++) drawn[i] = random.below(items);
    return statistic(drawn);
  }).sort();
  const levels =
    method === "bca" ? bcaLevels(estimate, estimates, withoutEach(all, statistic), alpha) : [alpha / 2, 1 - alpha / 2];
  const [lower, upper] = levels.map((level) => quantile(estimates, level)) as [number, number];
  return { estimate, lower, upper };
}

/** The statistic without each item in turn. */
function withoutEach(all: Int32Array, statistic: Statistic): Float64Array {
  const rest = all.slice(1);
  return Float64Array.from(all, (_, left) => {
    if (left > 0) rest[left - 1] = left - 1;
    return statistic(rest);
  });
}

/** At which quantiles of the bootstrap's estimates the interval ends (Efron 1987, "Better bootstrap confidence intervals"). */
export function bcaLevels(
  estimate: number,
  estimates: Float64Array,
  withoutEach: Float64Array,
  alpha: number,
): [number, number] {
  const below = estimates.reduce((sum, value) => sum + (value < estimate ? 1 : value === estimate ? 0.5 : 0), 0);
  // All of them on one side: as far as so many estimates can tell.
  const share = Math.min(Math.max(below, 0.5), estimates.length - 0.5) / estimates.length;
  const bias = normalQuantile(share);
  const mean = withoutEach.reduce((sum, value) => sum + value, 0) / withoutEach.length;
  const [squares, cubes] = withoutEach.reduce(
    ([two, three], value) => [two + (mean - value) ** 2, three + (mean - value) ** 3],
    [0, 0],
  );
  const acceleration = squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
  const level = (z: number) => normalCdf(bias + (bias + z) / (1 - acceleration * (bias + z)));
  return [level(normalQuantile(alpha / 2)), level(-normalQuantile(alpha / 2))];
}

/** Of ascending values, between neighbours in proportion (numpy's default). */
export function quantile(ascending: ArrayLike<number>, level: number): number {
  const place = level * (ascending.length - 1);
  const below = Math.floor(place);
  const [low, high] = [ascending[below]!, ascending[Math.min(below + 1, ascending.length - 1)]!];
  return low + (place - below) * (high - low);
}
