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

export interface JointPermutationTest {
  /** Of each statistic, in their order. */
  statistics: (PermutationTest & {
    /** What it exceeds where the family is rejected because of it. */
    threshold: number;
  })[];
  /** Of the whole family: the chance that any would look so different. */
  pValue: number;
}

/**
 * Several statistics of the same two samples, permuted together: `pValue` of each is adjusted for the others, so that the chance of
 * any false alarm is alpha at most, whatever they have to do with each other (the least p-value, Westfall and Young 1993). It takes as
 * many permutations as statistics by alpha: the rarest of each may be in another one.
 */
export function jointPermutationTest(
  { first, second }: { first: number; second: number },
  statistics: readonly TwoSampleStatistic[],
  { permutations = 999, seed, alpha = 0.01 }: Permutations & { alpha?: number },
): JointPermutationTest {
  checkCount("first", first, 1);
  checkCount("second", second, 1);
  checkCount("statistics.length", statistics.length, 1);
  checkProbability("alpha", alpha);
  checkCount("permutations", permutations, Math.ceil(statistics.length / alpha) - 1);
  const order = Int32Array.from({ length: first + second }, (_, i) => i);
  const random = randomOf(seed);
  // What was seen is the first of them all, as exact a one as any.
  const found = statistics.map(() => new Float64Array(permutations + 1));
  for (let i = 0; i <= permutations; i++) {
    for (const [k, statistic] of statistics.entries()) {
      found[k]![i] = statistic(order.subarray(0, first), order.subarray(first));
    }
    shuffle(order, random);
  }
  const shares = found.map(sharesAsGreat);
  const least = Float64Array.from({ length: permutations + 1 }, (_, i) => Math.min(...shares.map((own) => own[i]!)));
  const ascending = least.toSorted();
  const adjusted = (share: number) => countUpTo(ascending, share) / ascending.length;
  // The greatest share that rejects: as rare a one, adjusted, as alpha.
  const critical = ascending.findLast((share) => adjusted(share) <= alpha) ?? 0;
  return {
    pValue: adjusted(least[0]!),
    statistics: found.map((own, k) => ({
      statistic: own[0]!,
      pValue: adjusted(shares[k]![0]!),
      threshold: own.reduce((most, value, i) => (shares[k]![i]! > critical ? Math.max(most, value) : most), -Infinity),
    })),
  };
}

/** Of each value the share of all that are as great, itself included; sums in another order differ in their last digits. */
function sharesAsGreat(values: Float64Array): Float64Array {
  const ascending = values.toSorted();
  return values.map((value) => {
    const tolerance = 1e-12 * Math.abs(value);
    return 1 - countUpTo(ascending, value - tolerance, true) / values.length;
  });
}

/** How many of them are no greater; `below`: less. */
function countUpTo(ascending: Float64Array, value: number, below = false): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (below ? ascending[middle]! < value : ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
