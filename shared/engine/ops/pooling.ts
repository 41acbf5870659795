/** Maxima and means over windows and over whole planes. */
import { defineOp } from "../defineOp.ts";
import { constant, type Node, type TensorType } from "../graph.ts";
import { elementCount, product, type Shape, ShapeError } from "../shape.ts";
import { planes, transposed } from "./convolution.ts";
import { div, mul } from "./elementwise.ts";
import { gather } from "./indexing.ts";
import { reshape, reshapeLike, transpose } from "./layout.ts";
import { cast, equal } from "./logic.ts";
import { pad } from "./padding.ts";
import { reduceMax, reduceMean, reduceSum } from "./reductions.ts";
import { type PerAxis, type Window, windowAttributes, windowCounts, windowKinds } from "./window.ts";

type Ints = readonly number[];
type Pool = {
  readonly kernel_shape: Ints;
  readonly strides: Ints;
  readonly pads: Ints;
  readonly dilations: Ints;
  readonly spatial: Shape;
};

const kinds = { ...windowKinds, kernel_shape: "ints", spatial: "static" } as const;
const infer = ([x]: readonly [TensorType], { spatial }: Pool): TensorType => {
  return { shape: [...x.shape.slice(0, 2), ...spatial], dataType: x.dataType };
};
const lowest = -3.4028234663852886e38;

export const pooling = {
  MaxPool: defineOp<1, Pool>("MaxPool", {
    attributes: kinds,
    infer,
    gradient: ({ inputs: [x], output: y, dy, attributes }) => [maxGradient(x, y, dy, attributes)],
  }),
  AveragePool: defineOp<1, Pool & { readonly count_include_pad: 1 }>("AveragePool", {
    attributes: { ...kinds, count_include_pad: "int" },
    infer,
    gradient: ({ inputs: [x], dy, attributes }) => {
      const size = elementCount(attributes.kernel_shape);
      const share = constant(new Float32Array(size).fill(1 / size), [1, 1, ...attributes.kernel_shape]);
      return [reshapeLike(transposed(planes(dy), share, planes(x), { ...attributes, group: 1 }), x)];
    },
  }),
};

// Elements that tie for the maximum of a window share its gradient, as in ReduceMax. Taps are read by Gather, not by a
// convolution with ones, because they must compare equal to the maximum: a GPU may round what it multiplies. The shares
// go back by a transposed convolution, which adds in a fixed order.
function maxGradient(x: Node, y: Node, dy: Node, attributes: Pool): Node {
  const { kernel_shape: kernel } = attributes;
  const size = elementCount(kernel);
  const winners = cast(equal(taps(x, attributes), planes(y)), x.type.dataType);
  const shares = mul(winners, div(planes(dy), reduceSum(winners, { axes: [1], keepDims: true })));
  const places = constant(identity(size), [size, 1, ...kernel]);
  return reshapeLike(transposed(shares, places, planes(x), { ...attributes, group: 1 }), x);
}

/** The elements of each window: [batch x channels, taps, ...windows]. */
function taps(x: Node, { kernel_shape: kernel, strides, pads, dilations, spatial }: Pool): Node {
  if (spatial.some((dim) => typeof dim === "string"))
    throw new ShapeError("MaxPool", [x.type.shape], "a gradient needs spatial axes of known size");
  const counts = spatial as Ints;
  let found = x;
  for (const axis of [...kernel.keys()].reverse()) {
    const [before, behind] = [pads[axis]!, pads[axis + kernel.length]!];
    const padded = pad(found, { axis: axis + 2, before, behind, value: lowest });
    const places = Int32Array.from({ length: kernel[axis]! * counts[axis]! }, (_, i) => {
      return Math.floor(i / counts[axis]!) * dilations[axis]! + (i % counts[axis]!) * strides[axis]!;
    });
    found = gather(padded, constant(places, [kernel[axis]!, counts[axis]!]), axis + 2);
  }
  const axes = [...kernel.keys()];
  const order = [0, 1, ...axes.map((axis) => 2 + 2 * axis), ...axes.map((axis) => 3 + 2 * axis)];
  return reshape(transpose(found, order), [product(x.type.shape.slice(0, 2)), elementCount(kernel), ...counts]);
}

function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

export interface Pooling extends Window {
  /** The size of the window. */
  readonly kernel: PerAxis;
}

function poolAttributes(op: string, x: Node, { kernel, stride = kernel, ...window }: Pooling): Pool {
  const rank = x.type.shape.length - 2;
  const kernel_shape = typeof kernel === "number" ? Array<number>(rank).fill(kernel) : kernel;
  const attributes = windowAttributes(rank, { stride, ...window });
  const fail = (reason: string) => new ShapeError(op, [x.type.shape], reason);
  if (kernel_shape.some((size, axis) => attributes.pads[axis]! * 2 > size))
    throw fail("padding exceeds half the window, so that a window could lie outside");
  const spatial = windowCounts(x.type.shape.slice(2), kernel_shape, attributes, fail);
  return { strides: attributes.strides, pads: attributes.pads, dilations: attributes.dilations, kernel_shape, spatial };
}

/**
 * The largest element of each window: [batch, channels, ...space] to [batch, channels, ...windows]. Padding never wins.
 * Ties share the gradient. Throws ShapeError where no window fits or padding exceeds half of one.
 */
export function maxPool(x: Node, options: Pooling): Node {
  return pooling.MaxPool([x], poolAttributes("MaxPool", x, options));
}

/** The mean of each window, padding counting as zeros (PyTorch's default, not ONNX's). Throws as `maxPool`. */
export function averagePool(x: Node, options: Pooling): Node {
  return pooling.AveragePool([x], { ...poolAttributes("AveragePool", x, options), count_include_pad: 1 });
}

const spaceOf = (x: Node) => [...x.type.shape.keys()].slice(2);

/** [batch, channels, ...space] to the mean of each plane, [batch, channels]. */
export function globalAveragePool(x: Node): Node {
  return reduceMean(x, { axes: spaceOf(x) });
}

/** [batch, channels, ...space] to the largest element of each plane, [batch, channels]. */
export function globalMaxPool(x: Node): Node {
  return reduceMax(x, { axes: spaceOf(x) });
}
