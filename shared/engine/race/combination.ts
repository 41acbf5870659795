/**
 * Several models' logits as one: a weighted sum, whose weights are those under which the labels of rows that none of the
 * models learned from are most probable. With one model this is its temperature.
 */
import type { LabelledLogits } from "../training/evaluation.ts";

export interface Parts {
  /** Of each model, row-major [rows, classes]. */
  readonly logits: readonly Float32Array[];
  readonly labels: Int32Array;
  readonly classes: number;
}

const rounds = 30;
/** What the weights are before any row is seen, by how many there are; and how hard that is to move: as if by some ten rows. */
const expected = [1, 0.7];
const prior = 15;

/** Newton's method on a convex cost; a weight never falls below 0. */
export function fitScales({ logits, labels, classes }: Parts): number[] {
  const count = logits.length;
  const usual = expected[Math.min(count, expected.length) - 1]!;
  let scales = new Array<number>(count).fill(usual);
  for (let round = 0; round < rounds; round++) {
    const { gradient, curvature } = slopes({ logits, labels, classes }, scales);
    for (let i = 0; i < count; i++) {
      gradient[i]! += prior * (scales[i]! - usual);
      curvature[i]![i]! += prior;
    }
    const step = solve(curvature, gradient);
    const next = scales.map((scale, i) => Math.max(0, scale - Math.max(-0.5, Math.min(0.5, step[i]!))));
    const moved = Math.max(...next.map((scale, i) => Math.abs(scale - scales[i]!)));
    scales = next;
    if (moved < 1e-6) break;
  }
  return scales;
}

export function weightedSum(logits: readonly Float32Array[], scales: readonly number[]): Float32Array {
  return logits[0]!.map((_, i) => logits.reduce((sum, part, at) => sum + scales[at]! * part[i]!, 0));
}

/** Each half's rows as the weights that the other half asks for make them, so that no row is judged by its own say. */
export function crossFitted(parts: Parts): LabelledLogits {
  const { logits, labels, classes } = parts;
  const found = new Float32Array(labels.length * classes);
  for (const half of [0, 1]) {
    const isOf = (row: number) => row % 2 === half;
    const scales = fitScales(rowsWhere(parts, (row) => !isOf(row)));
    for (let row = 0; row < labels.length; row++) {
      if (!isOf(row)) continue;
      const range = [row * classes, (row + 1) * classes] as const;
      found.set(
        weightedSum(
          logits.map((part) => part.subarray(...range)),
          scales,
        ),
        range[0],
      );
    }
  }
  return { logits: found, labels, classes };
}

function rowsWhere({ logits, labels, classes }: Parts, chosen: (row: number) => boolean): Parts {
  const rows = [...labels.keys()].filter(chosen);
  const pick = (part: Float32Array) => {
    const own = new Float32Array(rows.length * classes);
    for (const [i, row] of rows.entries()) own.set(part.subarray(row * classes, (row + 1) * classes), i * classes);
    return own;
  };
  return { logits: logits.map(pick), labels: Int32Array.from(rows, (row) => labels[row]!), classes };
}

/** First and second derivatives of the summed negative log-likelihood by the scales. */
function slopes({ logits, labels, classes }: Parts, scales: readonly number[]) {
  const count = logits.length;
  const gradient = new Array<number>(count).fill(0);
  const curvature = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  const weights = new Float64Array(classes);
  for (const [row, label] of labels.entries()) {
    const at = row * classes;
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += scales[i]! * logits[i]![at + k]!;
      weights[k] = sum;
      top = Math.max(top, sum);
    }
    let total = 0;
    for (let k = 0; k < classes; k++) total += weights[k] = Math.exp(weights[k]! - top);
    const means = new Array<number>(count).fill(0);
    const products = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    for (let k = 0; k < classes; k++) {
      const probability = weights[k]! / total;
      for (let i = 0; i < count; i++) {
        const own = probability * logits[i]![at + k]!;
        means[i]! += own;
        for (let j = 0; j <= i; j++) products[i]![j]! += own * logits[j]![at + k]!;
      }
    }
    for (let i = 0; i < count; i++) {
      gradient[i]! += means[i]! - logits[i]![at + label]!;
      for (let j = 0; j <= i; j++) {
        const covariance = products[i]![j]! - means[i]! * means[j]!;
        curvature[i]![j]! += covariance;
        if (j !== i) curvature[j]![i]! += covariance;
      }
    }
  }
  return { gradient, curvature };
}

/** A x = b for a small positive definite A, by elimination. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const count = rows.length;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const factor = rows[j]![i]! / rows[i]![i]!;
      for (let k = i; k <= count; k++) rows[j]![k]! -= factor * rows[i]![k]!;
    }
  }
  const x = new Array<number>(count).fill(0);
  for (let i = count - 1; i >= 0; i--) {
    let sum = rows[i]![count]!;
    for (let k = i + 1; k < count; k++) sum -= rows[i]![k]! * x[k]!;
    x[i] = sum / rows[i]![i]!;
  }
  return x;
}
