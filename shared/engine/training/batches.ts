/** Batches of rows of like length, none of more tokens than a budget: what each step reads, by seed and step alone. */
import { permutation } from "../random.ts";

export interface BatchOptions {
  /** Tokens of each row, 1 or more. */
  readonly lengths: ArrayLike<number>;
  /** The most tokens of a batch as it is fed: its rows times its longest. */
  readonly tokenBudget: number;
  /** The most rows of a batch. Default: as many as the budget holds. */
  readonly maxRows?: number;
  readonly seed: number;
}

export interface Batches {
  /** The same in every epoch. */
  readonly perEpoch: number;
  /** The rows of a step; steps count on over the epochs. Each epoch has every row once, in batches and order of its own. */
  rowsOf(step: number): Int32Array;
}

/**
 * Rows whose lengths differ by little share a bucket, in which they are shuffled; batches are cut from bucket after
 * bucket, and shuffled too. A run that goes on from a step needs nothing but the step. Throws RangeError for a row that
 * exceeds the budget alone.
 */
export function lengthBatches({ lengths, tokenBudget, maxRows = lengths.length, seed }: BatchOptions): Batches {
  const tooLong = Array.from(lengths).findIndex((length) => length > tokenBudget);
  if (tooLong >= 0) {
    throw new RangeError(`row ${tooLong} has ${lengths[tooLong]} tokens, more than the budget of ${tokenBudget}`);
  }
  const longest = Array.from(lengths).reduce((most, length) => Math.max(most, length), 0);
  const buckets = Int32Array.from(lengths, (length) => Math.min(bucketOf(length), longest));
  const ends = cuts(buckets.toSorted(), tokenBudget, maxRows);
  return epochByEpoch(ends.length, (epoch) => batchesOf(epoch, { buckets, ends, seed }));
}

/** Batches that are cut anew for each epoch, when its first step is asked for. */
export function epochByEpoch(perEpoch: number, batchesOfEpoch: (epoch: number) => readonly Int32Array[]): Batches {
  let prepared: { epoch: number; batches: readonly Int32Array[] } | undefined;
  return {
    perEpoch,
    rowsOf(step) {
      const epoch = Math.floor(step / perEpoch);
      if (prepared?.epoch !== epoch) prepared = { epoch, batches: batchesOfEpoch(epoch) };
      return prepared.batches[step % perEpoch]!;
    },
  };
}

/**
 * A bucket's longest row is at most so many times its shortest. Less would save little padding, and hold rows of one
 * length together, which often are of one kind.
 */
const bucketGrowth = 1.12;

/** The longest length of the bucket that a length falls into. */
function bucketOf(length: number): number {
  return Math.floor(bucketGrowth ** (1 + Math.floor(Math.log(length) / Math.log(bucketGrowth))));
}

/** Where each batch ends, taking as many rows of the ascending buckets as fit. The cuts depend on lengths alone. */
function cuts(sorted: Int32Array, tokenBudget: number, maxRows: number): number[] {
  const ends: number[] = [];
  let start = 0;
  for (let row = 0; row < sorted.length; row++) {
    const rows = row - start + 1;
    if (rows <= maxRows && rows * sorted[row]! <= tokenBudget) continue;
    ends.push(row);
    start = row;
  }
  return sorted.length > start ? [...ends, sorted.length] : ends;
}

interface EpochOptions {
  /** By row. */
  readonly buckets: Int32Array;
  readonly ends: readonly number[];
  readonly seed: number;
}

function batchesOf(epoch: number, { buckets, ends, seed }: EpochOptions): Int32Array[] {
  // The sort is stable, so the rows of a bucket stay shuffled.
  const rows = permutation(buckets.length, seed, 2 * epoch).sort((a, b) => buckets[a]! - buckets[b]!);
  const order = permutation(ends.length, seed, 2 * epoch + 1);
  return Array.from(order, (index) => rows.slice(ends[index - 1] ?? 0, ends[index]));
}

/** The share of what is fed that is padding, over the batches given. */
export function paddingShare(batches: Iterable<Int32Array>, lengths: ArrayLike<number>): number {
  let [fed, read] = [0, 0];
  for (const rows of batches) {
    const own = Array.from(rows, (row) => lengths[row]!);
    fed += rows.length * Math.max(...own);
    read += own.reduce((sum, length) => sum + length, 0);
  }
  return fed === 0 ? 0 : 1 - read / fed;
}
