/** Two samples of vectors, such as embeddings, by the similarities of all pairs: computed once, then permuted. */
import { checkPositive } from "./checks.ts";
import type { TwoSampleStatistic } from "./permutation.ts";

/** Distances of all pairs of rows: float64 [n, n]. A few hundred rows are meant; time and memory grow with their square. */
export function distancesOf(rows: readonly ArrayLike<number>[]): { distances: Float64Array; size: number } {
  const size = rows.length;
  const distances = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const a = rows[i]!;
    if (a.length !== rows[0]!.length) {
      throw new RangeError(`rows[${i}] must have ${rows[0]!.length} numbers, as rows[0] has, not ${a.length}.`);
    }
    for (let j = 0; j < i; j++) {
      const b = rows[j]!;
      let sum = 0;
      for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
      distances[i * size + j] = distances[j * size + i] = Math.sqrt(sum);
    }
  }
  return { distances, size };
}

/** The median distance of two different rows, by which a kernel is as wide as the data (Gretton et al. 2012). */
export function medianDistance({ distances, size }: ReturnType<typeof distancesOf>): number {
  const pairs = Float64Array.from({ length: (size * (size - 1)) / 2 });
  let at = 0;
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) pairs[at++] = distances[i * size + j]!;
  pairs.sort();
  const middle = pairs.length >> 1;
  return pairs.length % 2 ? pairs[middle]! : (pairs[middle - 1]! + pairs[middle]!) / 2;
}

/** Mean over pairs of a row of the one and a row of the other; over different rows where they are one sample. */
function meanPair(matrix: Float64Array, size: number, a: Int32Array, b: Int32Array, same: boolean): number {
  let sum = 0;
  for (const i of a) {
    const row = i * size;
    for (const j of b) sum += matrix[row + j]!;
  }
  if (!same) return sum / (a.length * b.length);
  for (const i of a) sum -= matrix[i * size + i]!;
  return sum / (a.length * (a.length - 1));
}

/**
 * Maximum mean discrepancy, squared and unbiased (so that it may be below 0), with a Gaussian kernel exp(-d^2 / 2 width^2)
 * (Gretton et al. 2012, "A kernel two-sample test"). Both samples need two rows.
 */
export function maximumMeanDiscrepancy(
  found: ReturnType<typeof distancesOf>,
  width = medianDistance(found),
): TwoSampleStatistic {
  checkPositive("width", width);
  const { size } = found;
  const kernel = found.distances.map((distance) => Math.exp(-(distance ** 2) / (2 * width ** 2)));
  return (first, second) =>
    meanPair(kernel, size, first, first, true) +
    meanPair(kernel, size, second, second, true) -
    2 * meanPair(kernel, size, first, second, false);
}

/** Energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'|, pairs of a row with itself included (Szekely and Rizzo 2013). */
export function energyDistance({ distances, size }: ReturnType<typeof distancesOf>): TwoSampleStatistic {
  return (first, second) =>
    2 * meanPair(distances, size, first, second, false) -
    meanPair(distances, size, first, first, false) -
    meanPair(distances, size, second, second, false);
}
