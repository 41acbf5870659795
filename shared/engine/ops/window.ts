/** How the windows of convolutions and pooling lie on their spatial axes: those after batch and channels. */
import type { Dim, Shape, ShapeError } from "../shape.ts";
import { longer } from "./padding.ts";

/** One number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

export interface Window {
  /** Elements from one window to the next. Default 1, for pooling the size of the window. */
  readonly stride?: PerAxis;
  /** Elements added at both ends of an axis. Default 0. */
  readonly padding?: PerAxis;
  /** Elements from one tap of a window to the next. Default 1: none are left out. */
  readonly dilation?: PerAxis;
}

/** A window in ONNX's attributes; `pads` lists all beginnings, then all ends. */
export interface WindowAttributes {
  readonly [name: string]: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

export const windowKinds = { strides: "ints", pads: "ints", dilations: "ints" } as const;

export function windowAttributes(rank: number, { stride = 1, padding = 0, dilation = 1 }: Window): WindowAttributes {
  const each = (value: PerAxis) => (typeof value === "number" ? Array<number>(rank).fill(value) : value);
  return { strides: each(stride), pads: [...each(padding), ...each(padding)], dilations: each(dilation) };
}

/**
 * How many windows fit each axis. Strides over symbolic axes give names such as "(samples-2)/2",
 * rounded up. Throws `fail(reason)`
 * where none fits.
 */
export function windowCounts(
  spatial: Shape,
  kernel: readonly number[],
  { strides, pads, dilations }: WindowAttributes,
  fail: (reason: string) => ShapeError,
): Dim[] {
  if ([strides, dilations, kernel].some((list) => list.length !== spatial.length) || pads.length !== 2 * spatial.length)
    throw fail(`the window is not of ${spatial.length} axes`);
  return spatial.map((dim, axis) => {
    const padding = pads[axis]! + pads[axis + spatial.length]!;
    const room = longer(dim, padding - dilations[axis]! * (kernel[axis]! - 1));
    const count = every(room, strides[axis]!);
    if (typeof count === "number" && count < 1) throw fail(`no window of ${kernel[axis]} fits axis ${axis + 2}`);
    return count;
  });
}

function every(room: Dim, stride: number): Dim {
  if (stride === 1) return room;
  return typeof room === "number" ? Math.floor((room - 1) / stride) + 1 : `(${room})/${stride}`;
}
