/** Rotary position embedding: each pair of features is turned by an angle that grows with the position. */
import { constant, type Node } from "../graph.ts";
import { add, mul, sub } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { concat, reshape, slice, sliceLike, unsqueeze } from "../ops/layout.ts";
import { type RotaryScaling, rotaryFrequencies } from "./rotaryFrequencies.ts";

/**
 * Which features turn together: feature i with i + width/2 ("half", Hugging Face checkpoints), or 2i with 2i + 1
 * ("interleaved", Meta's own and llama2.c's). The weights decide: the two are one up to an order of features.
 */
export type Pairing = "half" | "interleaved";

export interface RotaryConfig {
  /** Features of a head; even. */
  readonly width: number;
  /** The longest sequence. A longer one fails the run. */
  readonly maxPositions: number;
  /** The base of the wavelengths, 10,000 in the paper. */
  readonly theta: number;
  readonly scaling?: RotaryScaling | undefined;
  readonly pairing: Pairing;
}

/**
 * The turns of positions 0, 1, 2 ...: cosines and sines, float32 [sequence, width/2]; or of the positions given, as
 * [batch, 1, 1, sequence, width/2].
 */
export interface Rotary {
  readonly cosines: Node;
  readonly sines: Node;
  readonly pairing: Pairing;
}

/**
 * Position p turns pair i by p theta^(-2i/width) radians (Su et al. 2021), for as many positions as `ids` [batch,
 * sequence] has; or for `positions` (int32, the shape of `ids`), where a text goes on from an earlier call. Angles are
 * computed in float64. Throws RangeError for an odd width.
 */
export function rotary(
  ids: Node,
  { width, maxPositions, theta, scaling, pairing }: RotaryConfig,
  positions?: Node,
): Rotary {
  if (width % 2 !== 0) throw new RangeError(`a rotary embedding needs an even head width, not ${width}`);
  const frequencies = rotaryFrequencies(width, theta, scaling);
  const pairs = frequencies.length;
  const table = (turn: (angle: number) => number) => {
    const angle = (at: number) => Math.floor(at / pairs) * frequencies[at % pairs]!;
    const values = Float32Array.from({ length: maxPositions * pairs }, (_, at) => turn(angle(at)));
    const turns = constant(values, [maxPositions, pairs]);
    return positions ? unsqueeze(gather(turns, positions), [1, 2]) : sliceLike(turns, 0, ids, 1);
  };
  return { cosines: table(Math.cos), sines: table(Math.sin), pairing };
}

/** x float32 [..., sequence, width] with each pair (a, b) turned to (a cos - b sin, b cos + a sin). */
export function rotate(x: Node, { cosines, sines, pairing }: Rotary): Node {
  const others = x.type.shape.slice(0, -1);
  const pairs = (x.type.shape.at(-1) as number) / 2;
  const axis = others.length + (pairing === "half" ? 0 : 1);
  const paired = reshape(x, pairing === "half" ? [...others, 2, pairs] : [...others, pairs, 2]);
  const [a, b] = [slice(paired, { axis, end: 1 }), slice(paired, { axis, start: 1, end: 2 })];
  const spread = (table: Node) => unsqueeze(table, [table.type.shape.length - (pairing === "half" ? 1 : 0)]);
  const [cos, sin] = [spread(cosines), spread(sines)];
  return reshape(concat([sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))], axis), x.type.shape);
}
