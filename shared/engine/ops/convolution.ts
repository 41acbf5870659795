/** Convolution over one or more spatial axes, its transpose, and gradients in which each is made of the other. */
import { defineOp } from "../defineOp.ts";
import { int64s, type Node, type TensorType } from "../graph.ts";
import { type Dim, product, type Shape, ShapeError, sameShape } from "../shape.ts";
import { add } from "./elementwise.ts";
import { concat, layout, reshape, transpose } from "./layout.ts";
import { longer } from "./padding.ts";
import { reduceSum } from "./reductions.ts";
import { dimensionOf, shapeOf } from "./shapes.ts";
import { type Window, type WindowAttributes, windowAttributes, windowCounts, windowKinds } from "./window.ts";

type Geometry = { readonly strides: Ints; readonly pads: Ints; readonly dilations: Ints; readonly group: number };
type Ints = readonly number[];
// `spatial` is the result's; it is worked out by the caller, as a transposed convolution cannot tell it.
type Conv = Geometry & { readonly spatial: Shape };
type ConvTranspose = Conv & { readonly output_padding: Ints };
type Fail = (reason: string) => ShapeError;

const kinds = { ...windowKinds, group: "int", spatial: "static" } as const;

function inferConv([x, weight, bias]: readonly TensorType[], { group, spatial }: Conv, fail: Fail): TensorType {
  requireOneType([x!, weight!], fail);
  const [outputs, inputs] = weight!.shape;
  if (x!.shape[1] !== product([inputs!, group])) throw fail(`${group} groups of ${inputs} channels are expected`);
  if (typeof outputs === "number" && outputs % group !== 0) throw fail(`${outputs} channels are not ${group} groups`);
  if (bias && !sameShape(bias.shape, [outputs!])) throw fail("the bias must have a number per channel");
  return { shape: [x!.shape[0]!, outputs!, ...spatial], dataType: x!.dataType };
}

function inferTranspose([x, weight]: readonly TensorType[], { group, spatial }: ConvTranspose, fail: Fail): TensorType {
  requireOneType([x!, weight!], fail);
  const [inputs, outputs] = weight!.shape;
  if (x!.shape[1] !== inputs) throw fail(`${inputs} channels are expected`);
  if (typeof inputs === "number" && inputs % group !== 0) throw fail(`${inputs} channels are not ${group} groups`);
  return { shape: [x!.shape[0]!, product([outputs!, group]), ...spatial], dataType: x!.dataType };
}

function requireOneType([x, weight]: readonly [TensorType, TensorType], fail: Fail): void {
  if (x.dataType !== weight.dataType) throw fail(`data types differ: ${x.dataType} and ${weight.dataType}`);
  if (x.shape.length < 3 || x.shape.length !== weight.shape.length)
    throw fail("batch, channels and space are expected");
}

export const convolution = {
  Conv: defineOp<"many", Conv>("Conv", {
    attributes: kinds,
    infer: inferConv,
    gradient: ({ inputs: [x, weight, bias], dy, attributes }) => [
      transposed(dy, weight!, x!, attributes),
      weightGradient({ x: x!, dy, weight: weight! }, attributes),
      ...(bias ? [reduceSum(dy, { axes: [...dy.type.shape.keys()].filter((axis) => axis !== 1) })] : []),
    ],
  }),
  ConvTranspose: defineOp<2, ConvTranspose>("ConvTranspose", {
    attributes: { ...kinds, output_padding: "ints" },
    infer: inferTranspose,
    // The transpose of the transpose is the convolution; in the weight, result and operand change places.
    gradient: ({ inputs: [x, weight], dy, attributes: { strides, pads, dilations, group } }) => [
      convolved([dy, weight], { strides, pads, dilations, group, spatial: x.type.shape.slice(2) }),
      weightGradient({ x: dy, dy: x, weight }, { strides, pads, dilations, group }),
    ],
  }),
};

function convolved(inputs: readonly Node[], attributes: Conv): Node {
  return convolution.Conv(inputs, attributes);
}
function convolvedBack(x: Node, weight: Node, attributes: ConvTranspose): Node {
  return convolution.ConvTranspose([x, weight], attributes);
}

/**
 * What each element of `like` gave to y = Conv(like, weight), for a y of the shape of `dy`. Windows that leave a
 * remainder at the end of an axis have not seen it: it gets zeros.
 */
export function transposed(dy: Node, weight: Node, like: Node, { strides, pads, dilations, group }: Geometry): Node {
  const spatial = like.type.shape.slice(2);
  const [counts, kernel] = [dy.type.shape.slice(2), weight.type.shape.slice(2)];
  const full = counts.map((count, axis) =>
    fullLength(Number(count), Number(kernel[axis]), strides[axis]!, dilations[axis]!),
  );
  const rest = full.map((length, axis) => {
    return strides[axis] === 1 ? 0 : Number(spatial[axis]) + pads[axis]! + pads[axis + full.length]! - length;
  });
  if (!rest.some(Number.isNaN))
    return convolvedBack(dy, weight, { strides, pads, dilations, group, output_padding: rest, spatial });
  // The remainder of a symbolic axis shows only at run time: leave room for the largest, crop nothing, then cut.
  const room = { pads: pads.map(() => 0), output_padding: strides.map((stride) => stride - 1) };
  const lengths = spatial.map((_, axis) => `uncut ${axis}`);
  const uncut = convolvedBack(dy, weight, { strides, dilations, group, ...room, spatial: lengths });
  return spatial.reduce<Node>((result, dim, i) => {
    const end = add(int64s([pads[i]!]), dimensionOf(like, i + 2));
    return between(result, { axis: i + 2, start: int64s([pads[i]!]), end, length: dim });
  }, uncut);
}

function between(x: Node, { axis, start, end, length }: { axis: number; start: Node; end: Node; length: Dim }): Node {
  const to = x.type.shape.map((dim, i) => (i === axis ? length : dim));
  return layout.Slice([x, start, end, int64s([axis])], { to, axis });
}

function fullLength(count: number, kernel: number, stride: number, dilation: number): number {
  return (count - 1) * stride + (kernel - 1) * dilation + 1;
}

// dW[o, i, k] = sum over rows n and windows p of dy[n, o, p] x[n, i, p stride + k dilation - pad]: a convolution in which
// rows are channels, channels are rows, dy is the kernel, and stride and dilation change places. Groups, which are
// channels of x, become groups of rows. A remainder that no window saw gives further elements behind, to be cut off.
function weightGradient(
  { x, dy, weight }: { x: Node; dy: Node; weight: Node },
  { strides, pads, dilations, group }: Geometry,
): Node {
  const kernel = weight.type.shape.slice(2);
  const swapped = { strides: dilations, dilations: strides, pads, group };
  const spatial = x.type.shape.slice(2).map((dim, axis) => {
    const padded = Number(dim) + pads[axis]! + pads[axis + kernel.length]!;
    const span = (Number(dy.type.shape[axis + 2]) - 1) * strides[axis]! + 1;
    const taps = Math.floor((padded - span) / dilations[axis]!) + 1;
    return strides[axis] === 1 ? kernel[axis]! : Number.isNaN(taps) ? `taps ${axis}` : taps;
  });
  const taps = convolved([channelsFirst(x, group), swapFirst(dy)], { ...swapped, spatial });
  const cut = kernel.reduce<Node>((result, length, i) => {
    if (spatial[i] === length) return result;
    return between(result, { axis: i + 2, start: int64s([0]), end: int64s([length as number]), length });
  }, taps);
  return swapFirst(cut);
}

function swapFirst(x: Node): Node {
  return transpose(x, [1, 0, ...x.type.shape.keys().drop(2)]);
}

/** [rows, groups x channels, ...] to [channels, groups x rows, ...]. */
function channelsFirst(x: Node, group: number): Node {
  if (group === 1) return swapFirst(x);
  const [rows, channels, ...spatial] = x.type.shape;
  const inGroup = (channels as number) / group;
  // Several symbolic axes may move at once, so the sizes of the spatial ones are asked for at run time.
  const sized = (node: Node, front: readonly number[], to: Shape) =>
    layout.Reshape([node, concat([int64s(front), shapeOf(x, 2)], 0)], { to });
  const grouped = sized(x, [0, group, inGroup], [rows!, group, inGroup, ...spatial]);
  const turned = transpose(grouped, [2, 1, 0, ...grouped.type.shape.keys().drop(3)]);
  return sized(turned, [inGroup, -1], [inGroup, product([group, rows!]), ...spatial]);
}

export interface Convolution extends Window {
  /** float32 [output channels]. */
  readonly bias?: Node | undefined;
  /** Parts into which channels are divided, each seeing only itself. Default 1; as many as channels is "depthwise". */
  readonly groups?: number;
}

/**
 * Cross-correlation, as every framework means it: x [batch, inputs, ...space] with weight [outputs, inputs / groups,
 * ...kernel] gives [batch, outputs, ...windows]. Throws ShapeError where channels, groups or windows do not fit.
 */
export function conv(x: Node, weight: Node, { bias, groups = 1, ...window }: Convolution = {}): Node {
  const attributes: WindowAttributes = windowAttributes(x.type.shape.length - 2, window);
  const fail: Fail = (reason) => new ShapeError("Conv", [x.type.shape, weight.type.shape], reason);
  const spatial = windowCounts(x.type.shape.slice(2), weight.type.shape.slice(2) as Ints, attributes, fail);
  const { strides, pads, dilations } = attributes;
  return convolved(bias ? [x, weight, bias] : [x, weight], { strides, pads, dilations, group: groups, spatial });
}

/**
 * The transpose of `conv`: x [batch, inputs, ...space] with weight [inputs, outputs / groups, ...kernel]. Throws
 * ShapeError over symbolic axes with a stride.
 */
export function convTranspose(x: Node, weight: Node, { groups = 1, ...window }: Omit<Convolution, "bias"> = {}): Node {
  const { strides, pads, dilations } = windowAttributes(x.type.shape.length - 2, window);
  const spatial = x.type.shape.slice(2).map((count, axis) => {
    const kernel = weight.type.shape[axis + 2] as number;
    const stretch = (kernel - 1) * dilations[axis]! - 2 * pads[axis]!;
    if (strides[axis] === 1) return longer(count, stretch);
    if (typeof count === "number") return (count - 1) * strides[axis]! + 1 + stretch;
    throw new ShapeError("ConvTranspose", [x.type.shape], `axis ${axis + 2} is symbolic and has a stride`);
  });
  const output_padding = strides.map(() => 0);
  return convolvedBack(x, weight, { strides, pads, dilations, group: groups, output_padding, spatial });
}

/** x with everything but the first axis made one: [product of the first two axes, 1, ...space]. */
export function planes(x: Node): Node {
  const [rows, channels, ...spatial] = x.type.shape;
  return reshape(x, [product([rows!, channels!]), 1, ...spatial]);
}
