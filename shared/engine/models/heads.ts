/** Heads that are alike in every family; those that differ stand in the family's file. */
import { int64s, type Node } from "../graph.ts";
import { linear } from "../layers/basic.ts";
import { dropout } from "../layers/dropout.ts";
import { normalized } from "../layers/lossesRanking.ts";
import { paddingMask } from "../layers/masks.ts";
import { add, max, mul, sub } from "../ops/elementwise.ts";
import { gatherElements } from "../ops/indexing.ts";
import { expandLike, layout, squeeze, unsqueeze } from "../ops/layout.ts";
import { cast } from "../ops/logic.ts";
import { swapLast } from "../ops/matmul.ts";
import { reduceSum } from "../ops/reductions.ts";
import { meanPooling } from "./encoder.ts";
import type { HeadCall } from "./languageModel.ts";

/** A linear layer over each token or each vector, [..., hidden] to [..., labels]. Weights: `module`.*. */
export function classify(call: HeadCall, module: string, x: Node, options = { bias: true }): Node {
  const width = x.type.shape.at(-1) as number;
  return linear(call.scope.scope(module), dropout(x, module, call.dropout), width, call.labels, options);
}

/**
 * Logits of an answer's first and of its last token, [batch, 2, sequence]; those of padding are large and negative.
 * Weights: `qa_outputs`.* (Devlin et al. 2019, section 4.2).
 */
export function spanLogits({ scope, states, inputs }: HeadCall): Node {
  const width = states.type.shape.at(-1) as number;
  const logits = swapLast(linear(scope.scope("qa_outputs"), states, width, 2));
  return add(logits, squeeze(paddingMask(inputs.attention_mask), [1]));
}

/**
 * One vector of length 1 per text, [batch, hidden]: the mean of its tokens' states (Reimers and Gurevych 2019). The
 * product of two of them is their cosine.
 */
export function textVector({ states, inputs }: HeadCall): Node {
  return normalized(meanPooling(states, inputs.attention_mask));
}

/** The states of the first token, [batch, hidden]. */
export function firstToken(states: Node): Node {
  return squeeze(firstColumn(states), [1]);
}

/** The states of each text's last token before its padding, [batch, hidden]. */
export function lastToken({ states, inputs }: HeadCall): Node {
  const count = reduceSum(cast(inputs.attention_mask, "int64"), { axes: [1], keepDims: true });
  const last = unsqueeze(max(sub(count, 1), 0), [2]);
  return squeeze(gatherElements(states, expandLike(last, firstColumn(states)), 1), [1]);
}

/** [batch, 1, hidden]; no text is without a first token, though its length is known only at run time. */
function firstColumn(states: Node): Node {
  const [batch, , width] = states.type.shape;
  return layout.Slice([states, int64s([0]), int64s([1]), int64s([1])], { to: [batch!, 1, width!], axis: 1 });
}

/** A text's similarity to another, [batch] in [-1, 1], from two batches of `textVector`. */
export function cosine(a: Node, b: Node): Node {
  return reduceSum(mul(a, b), { axes: [-1] });
}
