/** Rows divided into folds, each label's as evenly as may be. */
import { mixSeeds, permutation } from "../random.ts";
import type { Examples } from "../training/examples.ts";

/** The rows of each fold, in rising order; every row is in one of them. */
export function stratifiedFolds(labels: Int32Array, folds: number, seed: number): Int32Array[] {
  const order = permutation(labels.length, mixSeeds(seed, 0x666f6c64));
  // The sort is stable, so the rows of a label stay shuffled; dealing goes on where the label before ended.
  const byLabel = order.toSorted((a, b) => labels[a]! - labels[b]!);
  return Array.from({ length: folds }, (_, fold) => byLabel.filter((_, place) => place % folds === fold).sort());
}

/** About so many rows, each label's share of them as in the whole, and of each label at least one. */
export function stratifiedSample(labels: Int32Array, rows: Int32Array, count: number, seed: number): Int32Array {
  if (rows.length <= count) return rows;
  const order = permutation(rows.length, mixSeeds(seed, 0x73616d70)).map((place) => rows[place]!);
  const byLabel = Map.groupBy(order, (row) => labels[row]!);
  const share = count / rows.length;
  const kept = [...byLabel.values()].flatMap((own) => own.slice(0, Math.max(1, Math.round(own.length * share))));
  return Int32Array.from(kept).sort();
}

export function pickRows({ texts, labels, lines }: Examples, rows: Int32Array): Examples {
  return {
    texts: Array.from(rows, (row) => texts[row]!),
    labels: rows.map((row) => labels[row]!),
    ...(lines && { lines: rows.map((row) => lines[row]!) }),
  };
}

/** The numbers below `count` that are not in `rows`. */
export function otherRows(count: number, rows: Int32Array): Int32Array {
  const taken = new Set(rows);
  return Int32Array.from({ length: count }, (_, row) => row).filter((row) => !taken.has(row));
}
