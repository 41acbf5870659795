/** Losses of one number each: yes or no, and how much. Each is a mean over elements, then over rows by weight. */
import type { Node } from "../graph.ts";
import { abs } from "../ops/activations.ts";
import { add, min, mul, type Operand, square, sub } from "../ops/elementwise.ts";
import { reduceMean } from "../ops/reductions.ts";
import { logSigmoid, softplus } from "../ops/smoothActivations.ts";
import { weightedMean } from "./losses.ts";

export interface RowOptions {
  /** float32 [batch]: how much each row counts. Default: all alike. */
  readonly weights?: Node;
}

export interface BinaryOptions extends RowOptions {
  /** How much a positive counts against a negative, a number or float32 [labels]. Default 1. */
  readonly positiveWeight?: Operand;
}

/**
 * Binary cross-entropy of sigmoid(logits), in nats, from logits and targets in [0, 1], both float32 [batch, ...];
 * finite for every finite logit.
 */
export function binaryCrossEntropy(logits: Node, targets: Node, options: BinaryOptions = {}): Node {
  const { positiveWeight = 1, weights } = options;
  // -w t log(s(x)) - (1 - t) log(1 - s(x)), where -log(1 - s(x)) = softplus(x)
  const positive = mul(mul(targets, positiveWeight), logSigmoid(logits));
  return overRows(sub(mul(sub(1, targets), softplus(logits)), positive), weights);
}

/** The mean of squared differences. Both float32 [batch, ...]. */
export function meanSquaredError(predictions: Node, targets: Node, { weights }: RowOptions = {}): Node {
  return overRows(square(sub(predictions, targets)), weights);
}

/** Squared (halved) up to a difference of `delta`, then linear (Huber 1964). Both float32 [batch, ...]. */
export function huber(
  predictions: Node,
  targets: Node,
  { delta = 1, weights }: RowOptions & { readonly delta?: number } = {},
): Node {
  const distance = abs(sub(predictions, targets));
  const near = min(distance, delta);
  return overRows(mul(near, add(distance, mul(near, -0.5))), weights);
}

function overRows(values: Node, weights: Node | undefined): Node {
  const beyond = [...values.type.shape.keys()].slice(1);
  return weightedMean(reduceMean(values, { axes: beyond }), weights);
}
