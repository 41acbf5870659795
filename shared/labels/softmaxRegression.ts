/**
 * Multinomial logistic regression over sparse rows by AdaGrad (Duchi et al. 2011), in plain arithmetic: it may run on any thread and be
 * ended at any moment, which a session of the runtime may not.
 */
import { mixSeeds, permutation } from "../engine/random.ts";
import type { SparseRow } from "../engine/text/vocabulary.ts";

export interface SoftmaxOptions {
  readonly features: number;
  readonly classes: number;
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
}

export interface Softmax {
  /** Of one row: float64 [classes], which sum to 1. */
  probabilities(row: SparseRow): Float64Array;
}

/** One step a row, in an order of each epoch's own; the rate falls to 0. */
export function fitSoftmax(
  rows: readonly SparseRow[],
  labels: ArrayLike<number>,
  { features, classes, epochs, rate, seed }: SoftmaxOptions,
): Softmax {
  // Row-major [features, classes]: what a row touches lies together.
  const weight = new Float32Array(features * classes);
  const bias = new Float32Array(classes);
  // One sum of squares a feature: one for each weight took three times as long and ranked no better.
  const squares = new Float32Array(features).fill(1e-6);
  const probabilities = (row: SparseRow) => softmax(logitsOf(row, weight, bias));
  const total = epochs * rows.length;
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const n of permutation(rows.length, mixSeeds(seed, 0x736f6674), epoch)) {
      const gradient = probabilities(rows[n]!);
      gradient[labels[n]!]! -= 1;
      const now = rate * (1 - step++ / total);
      const norm = gradient.reduce((sum, value) => sum + value * value, 0);
      const { indices, values } = rows[n]!;
      for (let i = 0; i < indices.length; i++) {
        const [feature, value] = [indices[i]!, values[i]!];
        squares[feature]! += value * value * norm;
        const scale = (now * value) / Math.sqrt(squares[feature]!);
        const start = feature * classes;
        for (let k = 0; k < classes; k++) weight[start + k]! -= scale * gradient[k]!;
      }
      for (let k = 0; k < classes; k++) bias[k]! -= 0.01 * now * gradient[k]!;
    }
  }
  return { probabilities };
}

function logitsOf({ indices, values }: SparseRow, weight: Float32Array, bias: Float32Array): Float64Array {
  const classes = bias.length;
  const logits = Float64Array.from(bias);
  for (let i = 0; i < indices.length; i++) {
    const [start, value] = [indices[i]! * classes, values[i]!];
    for (let k = 0; k < classes; k++) logits[k]! += value * weight[start + k]!;
  }
  return logits;
}

function softmax(logits: Float64Array): Float64Array {
  let top = Number.NEGATIVE_INFINITY;
  for (const value of logits) top = Math.max(top, value);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += logits[k] = Math.exp(logits[k]! - top);
  for (let k = 0; k < logits.length; k++) logits[k]! /= sum;
  return logits;
}
