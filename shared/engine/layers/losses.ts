/** Cross-entropy over classes, and what training reports beside it. */
import type { Node } from "../graph.ts";
import { neg } from "../ops/activations.ts";
import { add, div, max, mul, sub } from "../ops/elementwise.ts";
import { gather, pick } from "../ops/indexing.ts";
import { cast, equal, where } from "../ops/logic.ts";
import { logSoftmax } from "../ops/normalization.ts";
import { reduceMax, reduceMean, reduceSum } from "../ops/reductions.ts";

export interface CrossEntropyOptions {
  /** float32 [classes]: how much a row of each class counts. */
  readonly classWeights?: Node;
  /** The share of the wanted probability that is spread evenly over all classes, in [0, 1). Default 0. */
  readonly labelSmoothing?: number;
  /** The label of rows that do not count. With it, a batch of such rows alone has loss 0 and no gradient. */
  readonly ignoreIndex?: number;
}

/**
 * Mean over rows of -log softmax(logits)[label], in nats. `logits` float32 [...rows, classes], `labels` int32 or int64
 * [...rows]. With `weights` (float32 [...rows]) it is the weighted mean, so the padding rows of a last, partial batch
 * can weigh 0; the weights must not sum to 0. Options mean what they do in PyTorch's CrossEntropyLoss.
 */
export function crossEntropy(logits: Node, labels: Node, weights?: Node, options: CrossEntropyOptions = {}): Node {
  const { classWeights, labelSmoothing = 0, ignoreIndex } = options;
  const ignored = ignoreIndex === undefined ? undefined : equal(labels, ignoreIndex);
  const targets = ignored ? where(ignored, 0, labels) : labels;
  const counted = ignored ? onlyWhereNot(ignored, weights) : weights;
  const logProbabilities = logSoftmax(logits);
  const ofClass = classWeights && gather(classWeights, targets);
  const wanted = scaled(neg(pick(logProbabilities, targets)), ofClass);
  const even = () => neg(reduceMean(scaled(logProbabilities, classWeights), { axes: [-1] }));
  const losses = labelSmoothing === 0 ? wanted : add(mul(wanted, 1 - labelSmoothing), mul(even(), labelSmoothing));
  const share = ofClass ? scaled(ofClass, counted) : counted;
  if (!share) return reduceMean(losses);
  const total = reduceSum(share);
  return div(reduceSum(scaled(losses, counted)), ignored ? max(total, 1e-30) : total);
}

const scaled = (x: Node, by: Node | undefined) => (by ? mul(x, by) : x);
const onlyWhereNot = (ignored: Node, weights: Node | undefined) => scaled(sub(1, cast(ignored, "float32")), weights);

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
