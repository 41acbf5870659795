/** Sums, means and maxima over axes. */
import { defineOp } from "../defineOp.ts";
import { int64s, type Node, type TensorType } from "../graph.ts";
import { resolveAxis, type Shape, ShapeError, sameShape } from "../shape.ts";
import { div, mul } from "./elementwise.ts";
import { expandLike, reshape, squeeze } from "./layout.ts";
import { cast, equal } from "./logic.ts";
import { dimensionOf } from "./shapes.ts";

// Reductions are built with their axes kept (size 1), so that a gradient broadcasts back without bookkeeping.
type Over = { readonly keepdims: 1; readonly over: readonly number[] };
const attributes = { keepdims: "int", over: "static" } as const;
const infer = ([x]: readonly [TensorType, TensorType], { over }: Over): TensorType => ({
  shape: x.shape.map((dim, axis) => (over.includes(axis) ? 1 : dim)),
  dataType: x.dataType,
});

// Elements that tie for it share the gradient.
function extremum(op: string) {
  return defineOp<2, Over>(op, {
    attributes,
    infer,
    gradient: ({ inputs: [x], output, dy, attributes: { over } }) => {
      const winners = cast(equal(x, output), x.type.dataType);
      return [mul(winners, div(dy, reduceSum(winners, { axes: over, keepDims: true }))), null];
    },
  });
}

export const reductions = {
  ReduceSum: defineOp<2, Over>("ReduceSum", {
    attributes,
    infer,
    gradient: ({ inputs: [x], dy }) => [expandLike(dy, x), null],
  }),
  ReduceSumSquare: defineOp<2, Over>("ReduceSumSquare", {
    attributes,
    infer,
    gradient: ({ inputs: [x], dy }) => [mul(mul(x, 2), dy), null],
  }),
  ReduceMean: defineOp<2, Over>("ReduceMean", {
    attributes,
    infer,
    gradient: ({ inputs: [x], dy, attributes: { over } }) => [expandLike(div(dy, elementsAlong(x, over)), x), null],
  }),
  ReduceMax: extremum("ReduceMax"),
  ReduceMin: extremum("ReduceMin"),
};

export interface Reduction {
  /** Axes, counted from either end; all of them unless given. */
  readonly axes?: readonly number[];
  /** Whether reduced axes stay, of size 1. Default false. */
  readonly keepDims?: boolean;
}

function reduce(op: keyof typeof reductions, x: Node, { axes, keepDims = false }: Reduction): Node {
  const rank = x.type.shape.length;
  const over = (axes ?? [...x.type.shape.keys()]).map((axis) => {
    const resolved = resolveAxis(axis, rank);
    if (resolved === undefined) throw new ShapeError(op, [x.type.shape], `no axis ${axis}`);
    return resolved;
  });
  // ONNX reads an empty list of axes as "all".
  if (over.length === 0) return x;
  const kept = reductions[op]([x, int64s(over)], { keepdims: 1, over });
  return keepDims ? kept : squeeze(kept, over);
}

/** The sum of squares, in one pass. */
export function reduceSumSquare(x: Node, reduction: Reduction = {}): Node {
  return reduce("ReduceSumSquare", x, reduction);
}
export function reduceSum(x: Node, reduction: Reduction = {}): Node {
  return reduce("ReduceSum", x, reduction);
}
export function reduceMean(x: Node, reduction: Reduction = {}): Node {
  return reduce("ReduceMean", x, reduction);
}
export function reduceMax(x: Node, reduction: Reduction = {}): Node {
  return reduce("ReduceMax", x, reduction);
}

export function reduceMin(x: Node, reduction: Reduction = {}): Node {
  return reduce("ReduceMin", x, reduction);
}

/** Undoes broadcasting: x summed over the axes along which something of shape `to` was repeated. */
export function sumTo(x: Node, to: Shape): Node {
  if (sameShape(x.type.shape, to)) return x;
  const extra = x.type.shape.length - to.length;
  const repeated = [...x.type.shape.keys()].filter(
    (axis) => axis < extra || (to[axis - extra] === 1 && x.type.shape[axis] !== 1),
  );
  const kept = reduceSum(x, { axes: repeated, keepDims: true });
  return squeeze(kept, [...Array(Math.max(extra, 0)).keys()]);
}

/** How many elements the axes span, as a scalar of the data type of x. */
export function elementsAlong(x: Node, axes: readonly number[]): Node {
  const sizes = axes.map((axis) => reshape(dimensionOf(x, axis), []));
  return cast(
    sizes.reduce((total, size) => mul(total, size)),
    x.type.dataType,
  );
}
