/**
 * Attention of new tokens over a text's earlier ones, whose keys and values are kept. What was there before a call
 * (`past`) is read where it lies and never copied; what a call adds (`recent`) is small and carried from step to step.
 */
import { constant, input, type Node, type TensorType } from "../graph.ts";
import { type HeadLayout, joinHeads, type Projections, splitHeads } from "../layers/attention.ts";
import type { Rotary } from "../layers/rotary.ts";
import type { TextMemory } from "../models/languageModel.ts";
import { exp } from "../ops/activations.ts";
import { add, div, max, min, mul, sub } from "../ops/elementwise.ts";
import { concat, reshape, squeeze, unsqueeze } from "../ops/layout.ts";
import { cast, greater, less, where } from "../ops/logic.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { reduceMax, reduceSum } from "../ops/reductions.ts";
import { product } from "../shape.ts";
import { beginning, counted } from "./dynamic.ts";
import type { Carried } from "./loopModel.ts";

/** The tokens of one step. */
export interface StepTokens {
  /** int32 [rows, fresh]; those of shorter rows are filled up behind. */
  readonly ids: Node;
  /** int32 [rows, 1]: how many of them count. */
  readonly count: Node;
  /** int32 [rows, 1]: the place of the first in its text. */
  readonly start: Node;
}

export interface MemoryOptions {
  readonly tokens: StepTokens;
  /** int32 [rows, 1]: how many earlier tokens of each row `past` holds. */
  readonly cached: Node;
  readonly maxPositions: number;
}

// Finite, as of two infinities the difference is none.
const hidden = constant(-1e9);
// The place of filling: after any query, and so seen by none.
const nowhere = 2 ** 30;
const last = { axes: [-1], keepDims: true } as const;

export const pastName = (part: "key" | "value", layer: number) => `past.${part}.${layer}`;
export const freshName = (part: "key" | "value", layer: number) => `fresh.${part}.${layer}`;

/** Keys or values of one layer: float32 [rows, keyValueHeads, tokens, headWidth]. */
function memoryType({ keyValueHeads, headWidth }: HeadLayout, tokens: string): TensorType {
  return { shape: ["rows", keyValueHeads, tokens, headWidth], dataType: "float32" };
}

/** A memory for one forward pass, and what that pass hands to the next step; complete when the pass is built. */
export function textMemory({ tokens, cached, maxPositions }: MemoryOptions): {
  memory: TextMemory;
  carried: Record<string, Carried>;
} {
  const places = add(tokens.start, counted(tokens.ids, 1));
  const isToken = less(counted(tokens.ids, 1), tokens.count);
  const before = input("recent", ["rows", "recent"], "int32");
  const keyPlaces = concat([before, where(isToken, places, nowhere)], 1);
  // Rows ended by their length run on within a call, unread, and must not read beyond the tables of positions.
  const positions = min(places, maxPositions - 1);
  const carried: Record<string, Carried> = {
    recent: { before, first: beginning(cached, 1, "recent"), after: keyPlaces },
  };
  let layer = 0;
  let masks: Masks | undefined;
  const attend = (projections: Projections, layout: HeadLayout, rotary?: Rotary) => {
    const { query, key, value } = splitHeads(projections, layout, rotary);
    const grow = (part: "key" | "value", fresh: Node) => {
      const past = input(pastName(part, layer), ...typeOf(memoryType(layout, "reach")));
      const before = input(`recent.${part}.${layer}`, ...typeOf(memoryType(layout, "recent")));
      const after = concat([before, squeeze(fresh, [2])], 2);
      carried[freshName(part, layer)] = { before, first: beginning(past, 2, "recent"), after, returned: true };
      return { past, recent: after };
    };
    const [keys, values] = [grow("key", key), grow("value", value)];
    layer++;
    masks ??= masksOf(query, keys.past, { positions, keyPlaces, cached });
    return mixed(query, { keys, values, masks, scale: layout.headWidth ** -0.5 });
  };
  return { memory: { positions, attend }, carried };
}

interface Masks {
  /** float32 [rows, 1, 1, reach], added to scores; and 1 where a token is, [rows, 1, reach, 1]. */
  readonly past: Node;
  readonly pastIsThere: Node;
  /** float32 [rows, 1, group * fresh, recent], added to scores. */
  readonly recent: Node;
}

/** The same for all layers. Queries that share a key lie one behind the other, as one product takes them. */
function masksOf(
  query: Node,
  past: Node,
  { positions, keyPlaces, cached }: { positions: Node; keyPlaces: Node; cached: Node },
): Masks {
  const [rows, , group, fresh] = query.type.shape;
  const isThere = less(counted(past, 2), unsqueeze(cached, [2, 3]));
  const repeated = add(unsqueeze(positions, [1]), constant(new Int32Array(group as number), [1, group as number, 1]));
  const queryPlaces = reshape(repeated, [rows!, product([group!, fresh!])]);
  return {
    past: where(isThere, constant(0), hidden),
    pastIsThere: swapLast(cast(isThere, "float32")),
    recent: where(greater(unsqueeze(keyPlaces, [1, 2]), unsqueeze(queryPlaces, [1, 3])), hidden, constant(0)),
  };
}

const typeOf = ({ shape, dataType }: TensorType) => [shape, dataType] as const;

interface Attended {
  readonly keys: { readonly past: Node; readonly recent: Node };
  readonly values: { readonly past: Node; readonly recent: Node };
  readonly masks: Masks;
  readonly scale: number;
}

// One softmax over two lots of tokens, without laying them side by side (Dao et al. 2022, section 3.1). How far the past
// reaches depends on the other rows. Tokens that are not there add zeros to products, which changes no bit; to the
// runtime's sums it does, and so the past is summed by a product.
function mixed(query: Node, { keys, values, masks, scale }: Attended): Node {
  const [rows, shared, group, fresh, width] = query.type.shape;
  const queries = mul(reshape(query, [rows!, shared!, product([group!, fresh!]), width!]), scale);
  const past = add(matmul(queries, swapLast(keys.past)), masks.past);
  const recent = add(matmul(queries, swapLast(keys.recent)), masks.recent);
  const highest = max(reduceMax(past, last), reduceMax(recent, last));
  const [pastWeights, recentWeights] = [exp(sub(past, highest)), exp(sub(recent, highest))];
  const ones = expandHeads(masks.pastIsThere, values.past);
  const total = add(matmul(pastWeights, ones), reduceSum(recentWeights, last));
  const sum = add(matmul(pastWeights, values.past), matmul(recentWeights, values.recent));
  return joinHeads(reshape(div(sum, total), query.type.shape));
}

// The runtime multiplies a matrix that all heads share in another way where there is but one row.
function expandHeads(ones: Node, { type }: Node): Node {
  const heads = type.shape[1] as number;
  return add(ones, constant(new Float32Array(heads), [1, heads, 1, 1]));
}
