/** Losses that ask for more than being right: hinges, by which linear layers become support vector machines, and margins. */
import { constant, type Node } from "../graph.ts";
import { relu } from "../ops/activations.ts";
import { add, mul, square, sub } from "../ops/elementwise.ts";
import { pick } from "../ops/indexing.ts";
import { unsqueeze } from "../ops/layout.ts";
import { cast, equal } from "../ops/logic.ts";
import { reduceMax, reduceSum } from "../ops/reductions.ts";
import { crossEntropy, weightedMean } from "./losses.ts";

/**
 * Multi-class hinge (Crammer and Singer 2001): by how much the best wrong class, plus 1, exceeds the right one. `scores`
 * float32 [batch, classes], `labels` int32 or int64 [batch], `weights` float32 [batch].
 */
export function multiClassHinge(scores: Node, labels: Node, weights?: Node): Node {
  const handicap = sub(1, oneHot(labels, classesOf(scores)));
  return weightedMean(sub(reduceMax(add(scores, handicap), { axes: [-1] }), pick(scores, labels)), weights);
}

/**
 * Each class against the rest by squared hinge, summed over classes: scikit-learn's LinearSVC but for its penalty, which
 * is `squaredNorm` of the weights. Operands as of `multiClassHinge`.
 */
export function squaredHinge(scores: Node, labels: Node, weights?: Node): Node {
  const side = sub(mul(oneHot(labels, classesOf(scores)), 2), 1);
  return weightedMean(reduceSum(square(relu(sub(1, mul(side, scores)))), { axes: [-1] }), weights);
}

/**
 * Cross-entropy after `margin`, in nats, was taken from the logit of the label (Wang et al. 2018, additive margin softmax,
 * https://arxiv.org/abs/1801.05599, without its unit vectors): rows that are right by less still pull. Operands as of
 * `multiClassHinge`.
 */
export function marginCrossEntropy(logits: Node, labels: Node, margin: number, weights?: Node): Node {
  const handicap = mul(oneHot(labels, classesOf(logits)), margin);
  return crossEntropy(sub(logits, handicap), labels, weights);
}

/** The sum of squares over some weights: a penalty to be scaled and added to a loss. */
export function squaredNorm(parameters: readonly Node[]): Node {
  return parameters.map((weight) => reduceSum(square(weight))).reduce((total, part) => add(total, part));
}

/** 1 at the label, 0 elsewhere: float32 [...labels, classes]. A label outside gives zeros. */
export function oneHot(labels: Node, classes: number): Node {
  const numbers = cast(
    constant(
      Int32Array.from({ length: classes }, (_, i) => i),
      [classes],
    ),
    labels.type.dataType,
  );
  return cast(equal(unsqueeze(labels, [labels.type.shape.length]), numbers), "float32");
}

function classesOf(scores: Node): number {
  const classes = scores.type.shape.at(-1);
  if (typeof classes !== "number") throw new TypeError("the number of classes must be known");
  return classes;
}
