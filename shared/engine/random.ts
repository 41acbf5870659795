/**
 * Random numbers by counter: number i of a seed and a stream is a pure function of the three, in whatever order it is
 * asked for.
 */

const mask16 = 0xffff;

/** The upper 32 bits of a product of two uint32. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & mask16, a >>> 16, b & mask16, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (aLow * bHigh + (middle & mask16)) / 65536;
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry)) >>> 0;
}

export type Block = readonly [number, number, number, number];

/** Philox4x32 with ten rounds (Salmon et al. 2011): a block of four uint32 from a counter of four and a key of two. */
export function philox(counter: Block, key: readonly [number, number]): Block {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, a);
    const high1 = multiplyHigh(0xcd9e8d57, c);
    const low0 = Math.imul(0xd2511f53, a);
    const low1 = Math.imul(0xcd9e8d57, c);
    [a, b, c, d] = [(high1 ^ b ^ k0) >>> 0, low1 >>> 0, (high0 ^ d ^ k1) >>> 0, low0 >>> 0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/** A uint32 for a name (FNV-1a), by which each weight or layer gets its own stream of numbers. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Uniform in (0, 1], with 53 bits: never 0, so that its logarithm is finite. */
function uniform(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6) + 1) / 9007199254740992;
}

/** Normal numbers of mean 0, computed in float64 (Box-Muller) and then rounded. `seed` and `stream` are uint32. */
export function normals(length: number, { seed, stream = 0, deviation = 1 }: NormalOptions): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i += 2) {
    const [a, b, c, d] = philox([i / 2, 0, 0, 0], [seed >>> 0, stream >>> 0]);
    const radius = deviation * Math.sqrt(-2 * Math.log(uniform(a, b)));
    const angle = 2 * Math.PI * uniform(c, d);
    values[i] = radius * Math.cos(angle);
    if (i + 1 < length) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

export interface NormalOptions {
  readonly seed: number;
  /** Which of the seed's independent streams. Default 0. */
  readonly stream?: number;
  /** Default 1. */
  readonly deviation?: number;
}

/** A uint32 that depends on all of the numbers given, such as a job's seed and a step. */
export function mixSeeds(...parts: readonly number[]): number {
  return parts.reduce((state, part) => philox([part >>> 0, 0, 0, 0], [state, 0x6d696c6c])[0], 0);
}

/** The integers 0 up to `length` in an order chosen by the seed (Fisher-Yates). */
export function permutation(length: number, seed: number, stream = 0): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const [a, b] = philox([i, 1, 0, 0], [seed >>> 0, stream >>> 0]);
    const j = Math.min(i, Math.floor(uniform(a, b) * (i + 1)));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
