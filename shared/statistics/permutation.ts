/** What a statistic of two samples is by chance alone: from the samples mixed, or from the reference window itself. */
import { quantile } from "./bootstrap.ts";
import { checkCount, checkProbability } from "./checks.ts";
import { randomOf, shuffle } from "./random.ts";

/** Of the items of a sample and of another, by index; greater where they differ more. */
export type TwoSampleStatistic = (first: Int32Array, second: Int32Array) => number;

export interface Permutations {
  /** Default 999. */
  permutations?: number;
  seed: number;
}

export interface PermutationTest {
  statistic: number;
  /** Exact, never 0: what was seen counts as one permutation (Phipson and Smyth 2010). */
  pValue: number;
}

/** Items 0 up to `first` are the one sample, the next `second` items the other. */
export function permutationTest(
  { first, second }: { first: number; second: number },
  statistic: TwoSampleStatistic,
  { permutations = 999, seed }: Permutations,
): PermutationTest {
  checkCount("first", first, 1);
  checkCount("second", second, 1);
  checkCount("permutations", permutations, 1);
  const order = Int32Array.from({ length: first + second }, (_, i) => i);
  const split = () => statistic(order.subarray(0, first), order.subarray(first));
  const seen = split();
  const random = randomOf(seed);
  // Sums in another order differ in their last digits, where the items are the same.
  const tolerance = 1e-12 * Math.abs(seen);
  let asGreat = 1;
  for (let i = 0; i < permutations; i++) {
    shuffle(order, random);
    if (split() >= seen - tolerance) asGreat++;
  }
  return { statistic: seen, pValue: asGreat / (permutations + 1) };
}

/**
 * What a statistic exceeds with chance alpha where nothing has changed: its quantile over windows drawn from the reference
 * without repetition, each against the items left. `reference` is how many items that has, `window` how many a window.
 */
export function driftThreshold(
  { reference, window }: { reference: number; window: number },
  statistic: TwoSampleStatistic,
  { permutations = 999, seed, alpha = 0.01 }: Permutations & { alpha?: number },
): number {
  checkCount("window", window, 1);
  checkCount("reference", reference, 2 * window);
  checkProbability("alpha", alpha);
  const order = Int32Array.from({ length: reference }, (_, i) => i);
  const random = randomOf(seed);
  const found = Float64Array.from({ length: permutations }, () => {
    shuffle(order, random);
    return statistic(order.subarray(window), order.subarray(0, window));
  }).sort();
  return quantile(found, 1 - alpha);
}
