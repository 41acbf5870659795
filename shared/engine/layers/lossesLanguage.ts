/** Losses of language models: next tokens, hidden tokens, a teacher's tokens, preferred answers. */
import { int64s, type Node } from "../graph.ts";
import { neg } from "../ops/activations.ts";
import { add, div, mul, sub } from "../ops/elementwise.ts";
import { pick } from "../ops/indexing.ts";
import { layout } from "../ops/layout.ts";
import { cast, equal, where } from "../ops/logic.ts";
import { logSoftmax, softmax } from "../ops/normalization.ts";
import { pad } from "../ops/padding.ts";
import { reduceMean, reduceSum } from "../ops/reductions.ts";
import { dimensionOf } from "../ops/shapes.ts";
import { logSigmoid } from "../ops/smoothActivations.ts";
import { crossEntropy, weightedMean } from "./losses.ts";

/** The label of tokens that do not count, by the custom of Hugging Face transformers. */
export const ignoredLabel = -100;

/**
 * Each position predicts the next one's label. `logits` float32 [batch, sequence, vocabulary]; `labels` int32 or int64
 * [batch, sequence], not shifted: usually the input ids, with `ignoredLabel` at prompts and padding.
 */
export function causalCrossEntropy(logits: Node, labels: Node): Node {
  return crossEntropy(logits, nextLabels(labels), undefined, { ignoreIndex: ignoredLabel });
}

/** Each position predicts its own label, where it has one: operands as of `causalCrossEntropy`. */
export function maskedCrossEntropy(logits: Node, labels: Node): Node {
  return crossEntropy(logits, labels, undefined, { ignoreIndex: ignoredLabel });
}

/** The log-probability a causal model gives each text, float32 [batch]: operands as of `causalCrossEntropy`. */
export function textLogProbabilities(logits: Node, labels: Node): Node {
  const targets = nextLabels(labels);
  const ignored = equal(targets, ignoredLabel);
  const each = pick(logSoftmax(logits), where(ignored, 0, targets));
  return reduceSum(mul(each, sub(1, cast(ignored, "float32"))), { axes: [1] });
}

// Labels move against the logits, not the other way: they are smaller by the size of the vocabulary.
function nextLabels(labels: Node): Node {
  const longer = pad(labels, { axis: 1, behind: 1, value: ignoredLabel });
  const end = add(dimensionOf(labels, 1), 1);
  return layout.Slice([longer, int64s([1]), end, int64s([1])], { to: labels.type.shape, axis: 1 });
}

export interface DistillationOptions {
  /** Divides both logits; the loss is scaled back by its square. Default 1. */
  readonly temperature?: number;
  /** float32 [...rows]: how much each row counts. */
  readonly weights?: Node;
}

/**
 * How far the student's distribution is from the teacher's: KL(teacher || student) at a temperature, in nats (Hinton et
 * al. 2015). Both float32 [...rows, classes].
 */
export function distillation(student: Node, teacher: Node, options: DistillationOptions = {}): Node {
  const { temperature = 1, weights } = options;
  const [from, to] = [div(student, temperature), div(teacher, temperature)];
  const apart = reduceSum(mul(softmax(to), sub(logSoftmax(to), logSoftmax(from))), { axes: [-1] });
  return mul(weightedMean(apart, weights), temperature ** 2);
}

/** Log-probabilities of whole answers, float32 [batch] each: see `textLogProbabilities`. */
export interface Preference {
  readonly chosen: Node;
  readonly rejected: Node;
}

/**
 * Direct preference optimisation (Rafailov et al. 2023, equation 7). `beta` (default 0.1) holds the policy to the
 * reference; `labelSmoothing` is the share of preferences taken to be wrong (Mitchell 2023, default 0).
 */
export function directPreference(
  policy: Preference,
  reference: Preference,
  { beta = 0.1, labelSmoothing = 0 }: { readonly beta?: number; readonly labelSmoothing?: number } = {},
): Node {
  const margin = mul(sub(sub(policy.chosen, policy.rejected), sub(reference.chosen, reference.rejected)), beta);
  const right = neg(reduceMean(logSigmoid(margin)));
  if (labelSmoothing === 0) return right;
  return add(mul(right, 1 - labelSmoothing), mul(neg(reduceMean(logSigmoid(neg(margin)))), labelSmoothing));
}
