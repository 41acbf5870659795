/** What training minimises, and what it reports. */
import type { Node } from "../graph.ts";
import { neg } from "../ops/activations.ts";
import { div, mul } from "../ops/elementwise.ts";
import { pick } from "../ops/indexing.ts";
import { cast, equal } from "../ops/logic.ts";
import { logSoftmax } from "../ops/normalization.ts";
import { reduceMax, reduceMean, reduceSum } from "../ops/reductions.ts";

/**
 * Mean over rows of -log softmax(logits)[label], in nats. `logits` float32 [batch, classes], `labels` int32 or int64
 * [batch]. With `weights` (float32 [batch]) it is the weighted mean, so the padding rows of a last, partial batch can
 * weigh 0; the weights must not sum to 0.
 */
export function crossEntropy(logits: Node, labels: Node, weights?: Node): Node {
  return weightedMean(neg(pick(logSoftmax(logits), labels)), weights);
}

/**
 * The share of rows whose label has the highest logit, weighted as in `crossEntropy`. A tie for the highest counts as
 * right.
 */
export function accuracy(logits: Node, labels: Node, weights?: Node): Node {
  return weightedMean(cast(equal(pick(logits, labels), reduceMax(logits, { axes: [-1] })), "float32"), weights);
}

/** The mean of [batch] values, each counting as much as its weight. */
export function weightedMean(values: Node, weights?: Node): Node {
  return weights ? div(reduceSum(mul(values, weights)), reduceSum(weights)) : reduceMean(values);
}
