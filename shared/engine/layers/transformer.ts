/** The transformer layer of BERT (Devlin et al. 2019): attention and feed-forward, each added and then normalised. */
import type { Node } from "../graph.ts";
import { gelu } from "../ops/activations.ts";
import { add, mul } from "../ops/elementwise.ts";
import { reshape, transpose } from "../ops/layout.ts";
import { matmul } from "../ops/matmul.ts";
import { softmax } from "../ops/normalization.ts";
import { layerNorm, linear } from "./basic.ts";
import { type Dropout, dropout } from "./dropout.ts";
import type { WeightScope } from "./weightScope.ts";

export interface TransformerConfig {
  /** Width of the states between layers; a multiple of `heads`. */
  readonly hidden: number;
  readonly heads: number;
  /** Width inside the feed-forward part. */
  readonly intermediate: number;
}

export interface LayerContext {
  /**
   * float32 [batch, 1, 1, sequence], added to attention scores: 0 to see a position, a large negative number not to.
   */
  readonly mask: Node;
  readonly dropout?: Dropout | undefined;
}

/** States [batch, sequence, hidden] to states of the same shape. Weights: attention.*, intermediate.*, output.*. */
export function transformerLayer(scope: WeightScope, x: Node, config: TransformerConfig, context: LayerContext): Node {
  const { hidden, intermediate } = config;
  const attended = multiHeadAttention(scope.scope("attention.self"), x, config, context);
  const mixed = residual(scope.scope("attention.output"), x, attended, hidden, context);
  const inner = gelu(linear(scope.scope("intermediate.dense"), mixed, hidden, intermediate));
  return residual(scope.scope("output"), mixed, inner, intermediate, context);
}

/** Each position's mixture of all positions, head by head (Vaswani et al. 2017). Weights: query, key, value. */
export function multiHeadAttention(
  scope: WeightScope,
  x: Node,
  config: TransformerConfig,
  context: LayerContext,
): Node {
  const { hidden, heads } = config;
  const width = hidden / heads;
  if (!Number.isInteger(width)) throw new RangeError(`hidden (${hidden}) must be a multiple of heads (${heads})`);
  const [batch, sequence] = x.type.shape;
  const project = (name: string, perm: readonly number[]) =>
    transpose(reshape(linear(scope.scope(name), x, hidden, hidden), [batch!, sequence!, heads, width]), perm);
  const [query, key, value] = [
    project("query", [0, 2, 1, 3]),
    project("key", [0, 2, 3, 1]),
    project("value", [0, 2, 1, 3]),
  ];
  const scores = add(mul(matmul(query, key), 1 / Math.sqrt(width)), context.mask);
  const mixed = matmul(softmax(scores), value);
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batch!, sequence!, hidden]);
}

function residual(scope: WeightScope, x: Node, inner: Node, width: number, context: LayerContext): Node {
  const hidden = x.type.shape.at(-1) as number;
  const projected = linear(scope.scope("dense"), inner, width, hidden);
  return layerNorm(scope.scope("LayerNorm"), add(dropout(projected, scope.path, context.dropout), x), hidden);
}
