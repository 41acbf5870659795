/**
 * Integrated gradients (Sundararajan, Taly and Yan 2017): what each element of an input adds to a value, as the gradient
 * along the straight path from a baseline, summed up. The parts sum to the difference of the values at both ends.
 */

import type { TypedArray } from "../dataTypes.ts";
import { gradients } from "../gradient.ts";
import { input, type Node } from "../graph.ts";
import { toOnnx } from "../onnx.ts";
import { pick } from "../ops/indexing.ts";
import { reduceSum } from "../ops/reductions.ts";

export interface SlopeModel {
  /** float32 [batch, classes]; no row depends on another. */
  readonly logits: Node;
  /** The input that is explained: float32 [batch, ...]. */
  readonly x: Node;
  readonly initializers: Readonly<Record<string, TypedArray>>;
}

/** Outputs `value` [batch], the logit of each row's `label` (int32 [batch]), and `slope`, its gradient for x. */
export function slopeModel({ logits, x, initializers }: SlopeModel): Uint8Array {
  const value = pick(logits, input("label", ["batch"], "int32"));
  // As rows do not depend on each other, the gradient of their sum is that of each.
  const slope = gradients(reduceSum(value), [x]).get(x)!;
  return toOnnx({ outputs: { value, slope }, initializers });
}

/** Values at points of the input, [points], and gradients there, [points, elements]. */
export type Slopes = (points: readonly Float32Array[]) => Promise<{ values: Float32Array; slopes: Float32Array }>;

export interface Integral {
  /** Of each element of the input. */
  readonly attributions: Float64Array;
  readonly value: number;
  readonly baselineValue: number;
  /** By how much the sum of the parts misses the difference of the values. */
  readonly gap: number;
}

/** Points are doubled until the gap is at most this share of the difference, or this much, or there are so many. */
export const tolerance = { share: 0.01, least: 1e-3 } as const;
const [fewestPoints, mostPoints] = [16, 256];

/** From `baseline` to `x`, which are points alike. */
export async function integrate(slopesAt: Slopes, x: Float32Array, baseline: Float32Array): Promise<Integral> {
  const ends = await slopesAt([baseline, x]);
  const [baselineValue, value] = [ends.values[0]!, ends.values[1]!];
  const difference = value - baselineValue;
  const allowed = Math.max(tolerance.share * Math.abs(difference), tolerance.least);
  for (let count = fewestPoints; ; count *= 2) {
    const attributions = await along(slopesAt, { x, baseline, count });
    const gap = Math.abs(attributions.reduce((sum, part) => sum + part, 0) - difference);
    if (gap <= allowed || count >= mostPoints) return { attributions, value, baselineValue, gap };
  }
}

interface PathOptions {
  readonly x: Float32Array;
  readonly baseline: Float32Array;
  readonly count: number;
}

async function along(slopesAt: Slopes, { x, baseline, count }: PathOptions): Promise<Float64Array> {
  const { places, weights } = gaussLegendre(count);
  const points = places.map((place) => baseline.map((start, i) => start + place * (x[i]! - start)));
  const { slopes } = await slopesAt(points);
  const sums = new Float64Array(x.length);
  for (const [point, weight] of weights.entries()) {
    for (let i = 0; i < sums.length; i++) sums[i]! += weight * slopes[point * x.length + i]!;
  }
  return sums.map((sum, i) => sum * (x[i]! - baseline[i]!));
}

/** Places in (0, 1) and weights that sum to 1: exact for polynomials of degree below 2 `count`. */
export function gaussLegendre(count: number): { places: number[]; weights: number[] } {
  const roots = Array.from({ length: count }, (_, i) => legendreRoot(count, i));
  return {
    places: roots.map(({ root }) => (1 - root) / 2),
    weights: roots.map(({ root, slope }) => 1 / ((1 - root * root) * slope * slope)),
  };
}

/** Root `i` of the Legendre polynomial, from the greatest, by Newton's method, and the polynomial's slope there. */
function legendreRoot(count: number, i: number): { root: number; slope: number } {
  let root = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
  for (let step = 0; ; step++) {
    let [before, value] = [1, root];
    for (let n = 2; n <= count; n++) [before, value] = [value, ((2 * n - 1) * root * value - (n - 1) * before) / n];
    const slope = (count * (root * value - before)) / (root * root - 1);
    if (step === 8) return { root, slope };
    root -= value / slope;
  }
}
