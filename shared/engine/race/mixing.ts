/**
 * What several models' logits say across labels, beyond a weighted sum of them: one's doubt between two labels is evidence to
 * the other ("stacked generalization", Wolpert 1992). A matrix for each model, held to nothing by a ridge, is added to its weight.
 */
import type { Parts } from "./combination.ts";

/** How hard it is to move an entry from 0: as if by some hundred rows. */
const prior = 800;
/**
 * Rows for each entry; with fewer, what entries are is chance. By rows that nobody learned from, nats a row without and with: thucnews_titles
 * by 4,000 rows (20 for each) 0.4331 and 0.4324, by 1,000 rows 0.4352 and 0.4362; banking77 by 6,669 (not one for each) 0.301 and 0.308.
 */
const fewestRows = 20;

const [newtonSteps, conjugateSteps] = [20, 40];
const [tolerance, conjugateTolerance] = [1e-3, 0.05];

/** For each model what is added to its weight, [classes, classes] row-major, from its label to the sum's; null: rows are too few. */
export function fitMixing({ logits, labels, classes }: Parts, weighted: Float32Array): number[][] | null {
  const width = logits.length * classes;
  if (labels.length < fewestRows * width * classes) return null;
  const views = besideEachOther(logits, classes);
  const fitted = ridge({ views, offsets: weighted, labels, classes, width });
  return logits.map((_, part) => [...fitted.subarray(part * classes ** 2, (part + 1) * classes ** 2)]);
}

/** [rows, models * classes]. */
function besideEachOther(logits: readonly Float32Array[], classes: number): Float32Array {
  const width = logits.length * classes;
  const views = new Float32Array(logits[0]!.length * logits.length);
  for (const [part, own] of logits.entries()) {
    for (let at = 0; at < own.length; at++) {
      views[Math.floor(at / classes) * width + part * classes + (at % classes)] = own[at]!;
    }
  }
  return views;
}

interface Regression {
  /** [rows, width]. */
  readonly views: Float32Array;
  /** Logits before anything is added, [rows, classes]. */
  readonly offsets: Float32Array;
  readonly labels: Int32Array;
  readonly classes: number;
  readonly width: number;
}

/** Multinomial logistic regression under a ridge, [width, classes]: Newton's method, each step by conjugate gradients (convex, so halving ends). */
function ridge(problem: Regression): Float64Array {
  let weights = new Float64Array(problem.width * problem.classes);
  let now = costAt(problem, weights);
  const start = norm(now.gradient);
  for (let n = 0; n < newtonSteps && norm(now.gradient) > tolerance * start; n++) {
    const step = conjugateGradients((direction) => curved(problem, now.shares, direction), now.gradient);
    let size = 1;
    let next = costAt(problem, moved(weights, step, -size));
    while (next.cost > now.cost && size > 1e-3) {
      size /= 2;
      next = costAt(problem, moved(weights, step, -size));
    }
    if (next.cost >= now.cost) break;
    weights = moved(weights, step, -size);
    now = next;
  }
  return weights;
}

/** Summed negative log-likelihood with the ridge, its slope, and each row's probabilities. */
function costAt(problem: Regression, weights: Float64Array) {
  const { offsets, labels, classes } = problem;
  const shares = forward(problem, weights);
  let cost = (prior / 2) * dot(weights, weights);
  for (const [row, label] of labels.entries()) {
    const own = shares.subarray(row * classes, (row + 1) * classes);
    for (let k = 0; k < classes; k++) own[k]! += offsets[row * classes + k]!;
    const top = Math.max(...own);
    const total = own.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
    cost += top + Math.log(total) - own[label]!;
    for (let k = 0; k < classes; k++) own[k] = Math.exp(own[k]! - top) / total;
  }
  const misses = shares.slice();
  for (const [row, label] of labels.entries()) misses[row * classes + label]! -= 1;
  return { cost, shares, gradient: moved(backward(problem, misses), weights, prior) };
}

/** The second derivative along a direction. */
function curved(problem: Regression, shares: Float64Array, direction: Float64Array): Float64Array {
  const { labels, classes } = problem;
  const turned = forward(problem, direction);
  for (let at = 0; at < labels.length * classes; at += classes) {
    let mean = 0;
    for (let k = 0; k < classes; k++) mean += shares[at + k]! * turned[at + k]!;
    for (let k = 0; k < classes; k++) turned[at + k] = shares[at + k]! * (turned[at + k]! - mean);
  }
  return moved(backward(problem, turned), direction, prior);
}

/** views x weights: [rows, classes]. */
function forward({ views, labels, classes, width }: Regression, weights: Float64Array): Float64Array {
  const found = new Float64Array(labels.length * classes);
  for (let row = 0; row < labels.length; row++) {
    for (let i = 0; i < width; i++) {
      const view = views[row * width + i]!;
      for (let k = 0; k < classes; k++) found[row * classes + k]! += view * weights[i * classes + k]!;
    }
  }
  return found;
}

/** views, transposed, x errors: [width, classes]. */
function backward({ views, labels, classes, width }: Regression, errors: Float64Array): Float64Array {
  const found = new Float64Array(width * classes);
  for (let row = 0; row < labels.length; row++) {
    for (let i = 0; i < width; i++) {
      const view = views[row * width + i]!;
      for (let k = 0; k < classes; k++) found[i * classes + k]! += view * errors[row * classes + k]!;
    }
  }
  return found;
}

/** x of A x = right, nearly (Hestenes and Stiefel 1952). */
function conjugateGradients(times: (direction: Float64Array) => Float64Array, right: Float64Array): Float64Array {
  let x = new Float64Array(right.length);
  let rest = right;
  let direction = right;
  const enough = conjugateTolerance * norm(right);
  for (let n = 0; n < conjugateSteps && norm(rest) > enough; n++) {
    const image = times(direction);
    const size = dot(rest, rest) / dot(direction, image);
    x = moved(x, direction, size);
    const next = moved(rest, image, -size);
    direction = moved(next, direction, dot(next, next) / dot(rest, rest));
    rest = next;
  }
  return x;
}

const moved = (from: Float64Array, direction: Float64Array, size: number) =>
  from.map((value, i) => value + size * direction[i]!);
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const norm = (a: Float64Array) => Math.sqrt(dot(a, a));
