/** Which rows to label first: rules from probabilities, labels and vectors to an order, without a table, a clock or luck. */

/** Of a row, by label; they sum to 1. */
export type Probabilities = ArrayLike<number>;

/**
 * From 0 (sure) to 1: 1 less the lead of the likeliest label over the next (margin sampling, Scheffer et al. 2001). Entropy
 * would count the many labels that nobody would think of.
 */
export function uncertaintyOf(probabilities: Probabilities): number {
  let [first, second] = [0, 0];
  for (let i = 0; i < probabilities.length; i++) {
    const value = probabilities[i]!;
    if (value > first) [first, second] = [value, first];
    else if (value > second) second = value;
  }
  return 1 - (first - second);
}

/** From 0 (the same) to 1 bit (nothing in common): Jensen-Shannon divergence of two answers over the same labels. */
export function disagreementOf(one: Probabilities, other: Probabilities): number {
  if (one.length !== other.length) throw new RangeError(`other must have ${one.length} labels, not ${other.length}.`);
  let sum = 0;
  for (let i = 0; i < one.length; i++) {
    const middle = (one[i]! + other[i]!) / 2;
    for (const share of [one[i]!, other[i]!]) if (share > 0) sum += (share / 2) * Math.log2(share / middle);
  }
  return Math.min(1, Math.max(0, sum));
}

/** From 0 (all say the same) to 1 (all say something else): the votes' entropy by the most it could be (Dagan and Engelson 1995). */
export function voteDisagreement(votes: readonly string[]): number {
  if (votes.length < 2) return 0;
  const counts = [...Map.groupBy(votes, (vote) => vote).values()].map((own) => own.length);
  const entropy = counts.reduce((sum, count) => sum - (count / votes.length) * Math.log(count / votes.length), 0);
  return entropy / Math.log(votes.length);
}

/** The places of the `count` greatest scores, the greatest first; of equal ones the earlier. */
export function highest(scores: ArrayLike<number>, count: number): number[] {
  const places = Array.from({ length: scores.length }, (_, place) => place);
  return places.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, count);
}

/**
 * Rows that between them are near to all: the row nearest to the mean first, then always the one farthest from those chosen
 * (k-centre greedy, Gonzalez 1985; Sener and Savarese 2018). `known`: rows that need no choosing and count as chosen. Vectors are of
 * one width; the cost is rows times `count` times width.
 */
export function kCentres(
  vectors: readonly Float32Array[],
  count: number,
  known: readonly Float32Array[] = [],
): number[] {
  const distances = new Float64Array(vectors.length).fill(Number.POSITIVE_INFINITY);
  const chosen: number[] = [];
  const isLeft = new Uint8Array(vectors.length).fill(1);
  const near = (centre: Float32Array) => {
    for (const [row, vector] of vectors.entries()) {
      if (isLeft[row]) distances[row] = Math.min(distances[row]!, squaredDistance(vector, centre));
    }
  };
  for (const centre of known) near(centre);
  while (chosen.length < Math.min(count, vectors.length)) {
    const row = chosen.length || known.length ? farthest(distances, isLeft) : nearestToMean(vectors);
    chosen.push(row);
    isLeft[row] = 0;
    near(vectors[row]!);
  }
  return chosen;
}

function farthest(distances: Float64Array, isLeft: Uint8Array): number {
  let best = -1;
  for (let row = 0; row < distances.length; row++) {
    if (isLeft[row] && (best < 0 || distances[row]! > distances[best]!)) best = row;
  }
  return best;
}

function nearestToMean(vectors: readonly Float32Array[]): number {
  const mean = new Float32Array(vectors[0]!.length);
  for (const vector of vectors) for (const [i, value] of vector.entries()) mean[i]! += value / vectors.length;
  const distances = Float64Array.from(vectors, (vector) => -squaredDistance(vector, mean));
  return highest(distances, 1)[0]!;
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
