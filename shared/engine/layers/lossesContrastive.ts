/** A loss that draws texts of one class together and parts those of different ones. */
import type { Node } from "../graph.ts";
import { neg } from "../ops/activations.ts";
import { add, div, mul } from "../ops/elementwise.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { logSoftmax } from "../ops/normalization.ts";
import { reduceSum } from "../ops/reductions.ts";
import { normalized } from "./lossesRanking.ts";

export interface ContrastivePairs {
  /** float32 [batch, batch]: very negative where a row meets itself, else 0. */
  readonly hidden: Node;
  /** float32 [batch, batch]: what each row's partners count; summing to 1 over the whole batch. */
  readonly partners: Node;
}

/**
 * Supervised contrastive loss (Khosla et al. 2020, equation 2): each row must tell those of its own class from the batch's
 * others, by cosine over `temperature`. `vectors` float32 [batch, width].
 */
export function supervisedContrastive(vectors: Node, { hidden, partners }: ContrastivePairs, temperature = 0.1): Node {
  const directions = normalized(vectors);
  const scores = add(div(matmul(directions, swapLast(directions)), temperature), hidden);
  return neg(reduceSum(mul(logSoftmax(scores), partners)));
}
