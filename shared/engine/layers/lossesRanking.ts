/** Losses that only ask for an order: embeddings that find their partner, items that come before others. */
import type { Node } from "../graph.ts";
import { neg, relu, sqrt } from "../ops/activations.ts";
import { rowNumbers } from "../ops/bits.ts";
import { add, div, max, mul, square, sub } from "../ops/elementwise.ts";
import { pick } from "../ops/indexing.ts";
import { cast } from "../ops/logic.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { logSoftmax } from "../ops/normalization.ts";
import { reduceMean, reduceSum } from "../ops/reductions.ts";
import { logSigmoid } from "../ops/smoothActivations.ts";

/**
 * Each anchor must tell its own positive from those of the other rows, by cosine over `temperature` (Henderson et al.
 * 2017; sentence-transformers' MultipleNegativesRankingLoss, whose scale of 20 is a temperature of 0.05). Both float32
 * [batch, width].
 */
export function multipleNegativesRanking(anchors: Node, positives: Node, temperature = 0.05): Node {
  const cosines = matmul(normalized(anchors), swapLast(normalized(positives)));
  const scores = div(cosines, temperature);
  return neg(reduceMean(pick(logSoftmax(scores), cast(rowNumbers(scores), "int64"))));
}

/**
 * An anchor's positive must be nearer than its negative by `margin` (default 1), in Euclidean distance (Schroff et al.
 * 2015 with distances, as PyTorch's TripletMarginLoss). All float32 [batch, width].
 */
export function triplet(anchors: Node, positives: Node, negatives: Node, margin = 1): Node {
  const further = sub(distance(anchors, positives), distance(anchors, negatives));
  return reduceMean(relu(add(further, margin)));
}

/**
 * Bayesian personalised ranking (Rendle et al. 2009): -log sigmoid of the score an item in fact chosen has over another.
 * float32 [batch], or [batch, 1] against [batch, negatives].
 */
export function bayesianPersonalizedRanking(chosen: Node, others: Node): Node {
  return neg(reduceMean(logSigmoid(sub(chosen, others))));
}

// Below these bounds a root has no useful gradient: 0 takes its place.
function distance(a: Node, b: Node): Node {
  return sqrt(max(reduceSum(square(sub(a, b)), { axes: [-1] }), 1e-12));
}

/** x with its last axis scaled to length 1; zeros stay zeros. */
export function normalized(x: Node): Node {
  const length = sqrt(max(reduceSum(mul(x, x), { axes: [-1], keepDims: true }), 1e-24));
  return div(x, length);
}
