/**
 * Dropout whose mask is computed in the graph from a seed, so that a step can be repeated bit for bit on any device.
 */
import { constant, type Node } from "../graph.ts";
import { bitwiseXor, rowNumbers, shiftRight } from "../ops/bits.ts";
import { mul } from "../ops/elementwise.ts";
import { reshape, reshapeLike } from "../ops/layout.ts";
import { less, where } from "../ops/logic.ts";
import { hashName } from "../random.ts";

export interface Dropout {
  /** The share of elements set to zero, in [0, 1). */
  readonly rate: number;
  /** A uint32 scalar, fed anew at each step. */
  readonly seed: Node;
}

/**
 * x with each element zeroed with probability `rate` and the others scaled by 1 / (1 - rate) (Srivastava et al. 2014).
 * `name` tells this place in the network from others that share the seed. Without options, or at rate 0, x itself. The
 * last axis must be known.
 */
export function dropout(x: Node, name: string, options?: Dropout): Node {
  if (!options || options.rate === 0) return x;
  const { rate, seed } = options;
  if (!(rate > 0 && rate < 1)) throw new RangeError(`a dropout rate lies in [0, 1), not ${rate}`);
  const dropped = less(reshapeLike(randomBits(x, name, seed), x), Math.round(rate * 2 ** 32));
  return mul(x, where(dropped, constant(0), 1 / (1 - rate)));
}

// ONNX's RandomUniform and Dropout draw from the runtime's own generator, which neither repeats across providers nor
// can be resumed. Rows and columns are hashed apart, which is cheap, and each element pays one round over the pair:
// integer arithmetic modulo 2^32, the same everywhere.
function randomBits(x: Node, name: string, seed: Node): Node {
  const columns = x.type.shape.at(-1);
  if (typeof columns !== "number") throw new TypeError(`dropout "${name}" needs a last axis of known size`);
  const salted = mix(bitwiseXor(seed, hashName(name)));
  const rows = mix(bitwiseXor(mix(rowNumbers(x)), salted));
  const column = constant(
    Uint32Array.from({ length: columns }, (_, i) => Math.imul(i + 1, 0x9e3779b9)),
    [1, columns],
  );
  return mix(bitwiseXor(reshape(rows, [rows.type.shape[0]!, 1]), column));
}

/**
 * A hash of each uint32: the finaliser "lowbias32" of Chris Wellons's hash prospector, in which each input bit flips
 * each output bit with probability near 1/2.
 */
export function mix(x: Node): Node {
  const first = mul(bitwiseXor(x, shiftRight(x, 16)), 0x7feb352d);
  const second = mul(bitwiseXor(first, shiftRight(first, 15)), 0x846ca68b);
  return bitwiseXor(second, shiftRight(second, 16));
}
