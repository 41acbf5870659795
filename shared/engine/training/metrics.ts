/** How good predictions are, beyond what `evaluation.ts` says of classes: rankings and numbers. */

/**
 * The area under the ROC curve: how often a positive row scores above a negative one, ties counting half (Hanley and
 * McNeil 1982). `labels` are 1 for positive rows and 0 for the others. Throws RangeError unless there are both.
 */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);
  let [positives, wins, below] = [0, 0, 0];
  for (let start = 0; start < order.length; ) {
    let end = start;
    let [tiedPositives, tiedNegatives] = [0, 0];
    for (; end < order.length && scores[order[end]!] === scores[order[start]!]; end++) {
      if (labels[order[end]!] === 1) tiedPositives++;
      else tiedNegatives++;
    }
    wins += tiedPositives * (below + tiedNegatives / 2);
    below += tiedNegatives;
    positives += tiedPositives;
    start = end;
  }
  if (positives === 0 || below === 0) throw new RangeError("an area needs rows of both kinds");
  return wins / (positives * below);
}

/** In the unit of the targets. */
export function rootMeanSquaredError(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < targets.length; row++) sum += (predictions[row]! - targets[row]!) ** 2;
  return Math.sqrt(sum / targets.length);
}

export interface Ranking {
  /** Row-major [rows, items]. */
  readonly scores: Float32Array;
  /** The item each row should have found, [rows]. */
  readonly targets: ArrayLike<number>;
  readonly items: number;
}

/** The share of rows whose target is among the `k` items of highest score; among equal scores, chance decides. */
export function hitRate({ scores, targets, items }: Ranking, k: number): number {
  let hits = 0;
  for (let row = 0; row < targets.length; row++) {
    const own = scores[row * items + targets[row]!]!;
    let [above, alike] = [0, 0];
    for (let item = 0; item < items; item++) {
      const other = scores[row * items + item]!;
      if (other > own) above++;
      else if (other === own) alike++;
    }
    hits += Math.min(Math.max((k - above) / alike, 0), 1);
  }
  return hits / targets.length;
}
