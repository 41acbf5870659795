/** Attention over heads, where several query heads may share a key and value head. */
import type { Node } from "../graph.ts";
import { add, mul } from "../ops/elementwise.ts";
import { reshape, transpose, unsqueeze } from "../ops/layout.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { softmax } from "../ops/normalization.ts";
import { type Rotary, rotate } from "./rotary.ts";

export interface HeadLayout {
  readonly heads: number;
  /** Key and value heads, each shared by heads / keyValueHeads query heads in a row; as many as `heads` is ordinary. */
  readonly keyValueHeads: number;
  /** Features of one head. */
  readonly headWidth: number;
}

export interface AttentionContext {
  /** float32, broadcast to [batch, 1, sequence, sequence]: 0 to see a position, a large negative number not to. */
  readonly mask: Node;
  /** Turns queries and keys by their position; absent where positions are embedded otherwise. */
  readonly rotary?: Rotary | undefined;
}

/** [batch, sequence, heads * headWidth] for queries, keyValueHeads in place of heads for the others. */
export interface Projections {
  readonly query: Node;
  readonly key: Node;
  readonly value: Node;
}

/**
 * softmax(Q K^T / sqrt(headWidth) + mask) V, head by head (Vaswani et al. 2017; groups: Ainslie et al. 2023), as
 * [batch, sequence, heads * headWidth]. Throws RangeError where heads are no multiple of keyValueHeads.
 */
export function attention(
  projections: Projections,
  { heads, keyValueHeads, headWidth }: HeadLayout,
  { mask, rotary }: AttentionContext,
): Node {
  const group = heads / keyValueHeads;
  if (!Number.isInteger(group)) {
    throw new RangeError(`heads (${heads}) must be a multiple of keyValueHeads (${keyValueHeads})`);
  }
  const [batch, sequence] = projections.query.type.shape;
  // [batch, keyValueHeads, group, sequence, headWidth]; keys and values have a group of 1, which broadcasts.
  const split = (x: Node, shared: number) =>
    transpose(reshape(x, [batch!, sequence!, keyValueHeads, shared, headWidth]), [0, 2, 3, 1, 4]);
  const turn = (x: Node) => (rotary ? rotate(x, rotary) : x);
  const query = turn(split(projections.query, group));
  const key = turn(split(projections.key, 1));
  const grouped = mask.type.shape.length === 4 ? unsqueeze(mask, [1]) : mask;
  const scores = add(mul(matmul(query, swapLast(key)), 1 / Math.sqrt(headWidth)), grouped);
  const mixed = matmul(softmax(scores), split(projections.value, 1));
  return reshape(transpose(mixed, [0, 3, 1, 2, 4]), [batch!, sequence!, heads * headWidth]);
}
