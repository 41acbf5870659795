/** The transformer layer of BERT (Devlin et al. 2019): attention and feed-forward, each added and then normalised. */
import type { Node } from "../graph.ts";
import { gelu } from "../ops/activations.ts";
import { add, mul } from "../ops/elementwise.ts";
import { reshape, transpose } from "../ops/layout.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
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
  /** Default: GELU in its exact form. */
  readonly activation?: (x: Node) => Node;
  /** Added to variances by layer normalisation. Default 1e-12. */
  readonly normEpsilon?: number;
  /** Default: BERT's. */
  readonly names?: LayerNames;
}

/** What a family calls the weights of a layer. */
export interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attended: string;
  readonly attendedNorm: string;
  readonly inner: string;
  readonly outer: string;
  readonly outerNorm: string;
}

export const bertNames: LayerNames = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  attended: "attention.output.dense",
  attendedNorm: "attention.output.LayerNorm",
  inner: "intermediate.dense",
  outer: "output.dense",
  outerNorm: "output.LayerNorm",
};

export interface LayerContext {
  /**
   * float32 [batch, 1, 1, sequence], added to attention scores: 0 to see a position, a large negative number not to.
   */
  readonly mask: Node;
  readonly dropout?: Dropout | undefined;
}

/** States [batch, sequence, hidden] to states of the same shape. */
export function transformerLayer(scope: WeightScope, x: Node, config: TransformerConfig, context: LayerContext): Node {
  const { hidden, intermediate, activation = gelu, names = bertNames } = config;
  const attended = multiHeadAttention(scope, x, config, context);
  const mixed = residual(scope, x, attended, { dense: names.attended, norm: names.attendedNorm, config, context });
  const inner = activation(linear(scope.scope(names.inner), mixed, hidden, intermediate));
  return residual(scope, mixed, inner, { dense: names.outer, norm: names.outerNorm, config, context });
}

/** Each position's mixture of all positions, head by head (Vaswani et al. 2017). */
export function multiHeadAttention(
  scope: WeightScope,
  x: Node,
  { hidden, heads, names = bertNames }: TransformerConfig,
  context: LayerContext,
): Node {
  const width = hidden / heads;
  if (!Number.isInteger(width)) throw new RangeError(`hidden (${hidden}) must be a multiple of heads (${heads})`);
  const [batch, sequence] = x.type.shape;
  const project = (name: string, perm: readonly number[]) => {
    const projected = linear(scope.scope(name), x, hidden, hidden);
    return apart(transpose(reshape(projected, [batch!, sequence!, heads, width]), perm));
  };
  // Keys and values as [..., width, sequence]: the products of both passes then read what they transpose in small pieces.
  const query = project(names.query, [0, 2, 1, 3]);
  const [key, value] = [project(names.key, [0, 2, 3, 1]), project(names.value, [0, 2, 3, 1])];
  const scores = add(mul(matmul(query, key), 1 / Math.sqrt(width)), apart(context.mask));
  const mixed = reshape(matmul(softmax(scores), swapLast(value)), [batch!, heads, sequence!, width]);
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batch!, sequence!, hidden]);
}

/**
 * x with a second axis of 1. It keeps a transposition of the last axes from joining the one behind it: a product reads an
 * operand transposed at no cost, but the two as one would be a copy in memory, and one more of them in the backward pass.
 */
function apart(x: Node): Node {
  const [batch, ...others] = x.type.shape;
  return reshape(x, [batch!, 1, ...others]);
}

interface Residual {
  readonly dense: string;
  readonly norm: string;
  readonly config: TransformerConfig;
  readonly context: LayerContext;
}

function residual(scope: WeightScope, x: Node, inner: Node, { dense, norm, config, context }: Residual): Node {
  const { hidden, normEpsilon } = config;
  const projected = linear(scope.scope(dense), inner, inner.type.shape.at(-1) as number, hidden);
  // Noise is told apart by the module that holds the layer: renaming it would change what a seed means.
  const place = scope.scope(dense.slice(0, dense.lastIndexOf("."))).path;
  return layerNorm(scope.scope(norm), add(dropout(projected, place, context.dropout), x), hidden, normEpsilon);
}
