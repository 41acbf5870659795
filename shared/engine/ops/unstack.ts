/** An axis of known length taken apart into its elements, at a price that a gradient can pay. */
import type { Node } from "../graph.ts";
import { ShapeError } from "../shape.ts";
import { slice } from "./layout.ts";

/**
 * The elements of x along an axis, each with that axis of size 1. Throws ShapeError where its length is symbolic.
 *
 * They are cut off by halves: the gradient of a slice is as large as what it was cut from, so that T cuts from the whole
 * would cost T times the whole, and these cost log T times.
 */
export function unstack(x: Node, axis: number): Node[] {
  const length = x.type.shape[axis];
  if (typeof length !== "number") throw new ShapeError("Slice", [x.type.shape], `axis ${axis} must be of known length`);
  if (length === 1) return [x];
  const half = length >> 1;
  const halves = [slice(x, { axis, end: half }), slice(x, { axis, start: half, end: length })];
  return halves.flatMap((part) => unstack(part, axis));
}
