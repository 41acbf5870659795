/** Attention over heads, where several query heads may share a key and value head. */
import type { Node } from "../graph.ts";
import { add, mul } from "../ops/elementwise.ts";
import { reshape, transpose, unsqueeze } from "../ops/layout.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { softmax } from "../ops/normalization.ts";
import { product } from "../shape.ts";
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
export function attention(projections: Projections, layout: HeadLayout, { mask, rotary }: AttentionContext): Node {
  const { query, key, value } = splitHeads(projections, layout, rotary);
  const grouped = mask.type.shape.length === 4 ? unsqueeze(mask, [1]) : mask;
  const scores = add(mul(matmul(query, swapLast(key)), 1 / Math.sqrt(layout.headWidth)), grouped);
  return joinHeads(matmul(softmax(scores), value));
}

/**
 * Projections head by head: queries [batch, keyValueHeads, group, sequence, headWidth], keys and values with a group of
 * 1, which broadcasts; queries and keys turned. Throws RangeError where heads are no multiple of keyValueHeads.
 */
export function splitHeads(
  { query, key, value }: Projections,
  { heads, keyValueHeads, headWidth }: HeadLayout,
  rotary?: Rotary,
): Projections {
  const group = heads / keyValueHeads;
  if (!Number.isInteger(group)) {
    throw new RangeError(`heads (${heads}) must be a multiple of keyValueHeads (${keyValueHeads})`);
  }
  const [batch, sequence] = query.type.shape;
  const split = (x: Node, shared: number) =>
    transpose(reshape(x, [batch!, sequence!, keyValueHeads, shared, headWidth]), [0, 2, 3, 1, 4]);
  const turn = (x: Node) => (rotary ? rotate(x, rotary) : x);
  return { query: turn(split(query, group)), key: turn(split(key, 1)), value: split(value, 1) };
}

/** [batch, keyValueHeads, group, sequence, headWidth] as [batch, sequence, heads * headWidth]. */
export function joinHeads(mixed: Node): Node {
  const [batch, keyValueHeads, group, sequence, headWidth] = mixed.type.shape;
  return reshape(transpose(mixed, [0, 3, 1, 2, 4]), [batch!, sequence!, product([keyValueHeads!, group!, headWidth!])]);
}
