/**
 * Ops that rearrange elements without computing on them: transpose, reshape, expand, squeeze, concatenate, slice, pad.
 */
import { defineOp } from "../defineOp.ts";
import { constant, int64s, type Node, type TensorType } from "../graph.ts";
import {
  broadcastShapes,
  type Dim,
  formatShape,
  product,
  resolveAxis,
  type Shape,
  ShapeError,
  sameShape,
} from "../shape.ts";
import { add, sub } from "./elementwise.ts";
import { sumTo } from "./reductions.ts";
import { dimensionOf, shapeOf, shapeTensor } from "./shapes.ts";

type Fail = (reason: string) => ShapeError;
type To = { readonly to: Shape };
const keep = (x: TensorType, shape: Shape): TensorType => ({ shape, dataType: x.dataType });

function withoutAxes(shape: Shape, axes: readonly number[], fail: Fail): Shape {
  const wrong = axes.find((axis) => shape[axis] !== 1);
  if (wrong !== undefined) throw fail(`axis ${wrong} is not of size 1`);
  return shape.filter((_, axis) => !axes.includes(axis));
}

function withAxes(shape: Shape, axes: readonly number[]): Shape {
  const dims: Dim[] = [...shape];
  for (const axis of [...axes].sort((a, b) => a - b)) dims.splice(axis, 0, 1);
  return dims;
}

function concatenated(inputs: readonly TensorType[], axis: number, fail: Fail): TensorType {
  const [first] = inputs;
  if (!first) throw fail("nothing to concatenate");
  if (resolveAxis(axis, first.shape.length) === undefined) throw fail(`no axis ${axis}`);
  const others = (type: TensorType) => type.shape.map((dim, i) => (i === axis ? 1 : dim));
  if (inputs.some((type) => type.dataType !== first.dataType)) throw fail("data types differ");
  if (inputs.some((type) => !sameShape(others(type), others(first)))) throw fail(`shapes differ beyond axis ${axis}`);
  const lengths = inputs.map((type) => type.shape[axis]!);
  const numbers = lengths.filter((dim) => typeof dim === "number");
  const total = numbers.length === lengths.length ? numbers.reduce((sum, dim) => sum + dim, 0) : lengths.join("+");
  return keep(
    first,
    first.shape.map((dim, i) => (i === axis ? total : dim)),
  );
}

export const layout = {
  Transpose: defineOp<1, { perm: readonly number[] }>("Transpose", {
    attributes: { perm: "ints" },
    infer: ([x], { perm }, fail) => {
      if (!sameShape([...perm].sort(), [...x.shape.keys()])) throw fail(`cannot permute by ${formatShape(perm)}`);
      return keep(
        x,
        perm.map((axis) => x.shape[axis]!),
      );
    },
    gradient: ({ dy, attributes: { perm } }) => [
      transpose(
        dy,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ],
  }),
  Reshape: defineOp<2, To>("Reshape", {
    attributes: { to: "static" },
    infer: ([x], { to }, fail) => {
      if (product(x.shape) !== product(to)) throw fail(`has not the elements of ${formatShape(to)}`);
      return keep(x, to);
    },
    gradient: ({ inputs: [x], dy }) => [reshapeLike(dy, x), null],
  }),
  Expand: defineOp<2, To>("Expand", {
    attributes: { to: "static" },
    infer: ([x], { to }, fail) => {
      const shape = broadcastShapes(x.shape, to);
      if (!shape || !sameShape(shape, to)) throw fail(`does not broadcast to ${formatShape(to)}`);
      return keep(x, to);
    },
    gradient: ({ inputs: [x], dy }) => [sumTo(dy, x.type.shape), null],
  }),
  Squeeze: defineOp<2, { removed: readonly number[] }>("Squeeze", {
    attributes: { removed: "static" },
    infer: ([x], { removed }, fail) => keep(x, withoutAxes(x.shape, removed, fail)),
    gradient: ({ dy, attributes: { removed } }) => [unsqueeze(dy, removed), null],
  }),
  Unsqueeze: defineOp<2, { added: readonly number[] }>("Unsqueeze", {
    attributes: { added: "static" },
    infer: ([x], { added }) => keep(x, withAxes(x.shape, added)),
    gradient: ({ dy, attributes: { added } }) => [squeeze(dy, added), null],
  }),
  Concat: defineOp<"many", { axis: number }>("Concat", {
    attributes: { axis: "int" },
    infer: (inputs, { axis }, fail) => concatenated(inputs, axis, fail),
    gradient: ({ inputs, dy, attributes: { axis } }) => {
      let start = int64s([0]);
      return inputs.map((x) => {
        const end = add(start, dimensionOf(x, axis));
        const piece = between(dy, { start, end, axis, to: x.type.shape });
        start = end;
        return piece;
      });
    },
  }),
  Slice: defineOp<4, To & { axis: number }>("Slice", {
    attributes: { to: "static", axis: "static" },
    infer: ([x], { to }) => keep(x, to),
    // The part that was cut away gets zeros: `start` of them before, the rest behind.
    gradient: ({ inputs: [x, start, end], dy, attributes: { axis } }) => {
      return [padded(dy, x, { axis, before: start, behind: sub(dimensionOf(x, axis), end) }), null, null, null];
    },
  }),
  // How much goes before each axis, then behind each, though it is one axis only: of pads by `axes`, ONNX Runtime's
  // transpose optimizer (1.30.0) makes a Gather that reads beyond them.
  Pad: defineOp<3, To & { axis: number }>("Pad", {
    attributes: { to: "static", axis: "static" },
    infer: ([x], { to }) => keep(x, to),
    gradient: ({ inputs: [x, pads], dy, attributes: { axis } }) => {
      const start = slice(pads, { axis: 0, start: axis, end: axis + 1 });
      const end = add(start, dimensionOf(x, axis));
      return [between(dy, { start, end, axis, to: x.type.shape }), null, null];
    },
  }),
};

/** Two transpositions in a row become one, or none where the second undoes the first. */
export function transpose(x: Node, perm: readonly number[]): Node {
  if (x.op !== "Transpose") return layout.Transpose([x], { perm });
  const before = x.attributes.perm as readonly number[];
  const both = perm.map((axis) => before[axis]!);
  return sameShape(both, [...before.keys()]) ? x.inputs[0]! : layout.Transpose([x.inputs[0]!], { perm: both });
}

/**
 * The same elements in another shape; symbolic dimensions must be those of `x` (or products of them, see `product`).
 */
export function reshape(x: Node, to: Shape): Node {
  return layout.Reshape([x, shapeTensor(to, x)], { to });
}

/** x in the shape of `like`, which has as many elements. */
export function reshapeLike(x: Node, like: Node): Node {
  if (sameShape(x.type.shape, like.type.shape)) return x;
  return layout.Reshape([x, shapeTensor(like.type.shape, x, like)], { to: like.type.shape });
}

/** x repeated to the shape of `like`, by the rules of broadcasting. */
export function expandLike(x: Node, like: Node): Node {
  const to = like.type.shape;
  return sameShape(x.type.shape, to) ? x : layout.Expand([x, shapeOf(like)], { to });
}

/** x without the given axes, which are of size 1. Axes count from the front. */
export function squeeze(x: Node, axes: readonly number[]): Node {
  return axes.length === 0 ? x : layout.Squeeze([x, int64s(axes)], { removed: axes });
}

/** x with axes of size 1 put in, at positions of the result counted from the front. */
export function unsqueeze(x: Node, axes: readonly number[]): Node {
  return axes.length === 0 ? x : layout.Unsqueeze([x, int64s(axes)], { added: axes });
}

/** Symbolic lengths add up to a name such as "batch+1". The axis may count from the back. */
export function concat(inputs: readonly Node[], axis: number): Node {
  return layout.Concat(inputs, { axis: axis < 0 ? axis + inputs[0]!.type.shape.length : axis });
}

/**
 * Elements `start` (default 0) up to, not including, `end` along an axis of known size. Throws ShapeError beyond the
 * ends.
 */
export function slice(x: Node, { axis, start = 0, end }: { axis: number; start?: number; end: number }): Node {
  const size = x.type.shape[resolveAxis(axis, x.type.shape.length) ?? -1];
  if (typeof size !== "number" || start < 0 || end > size || start >= end) {
    throw new ShapeError("Slice", [x.type.shape], `no elements ${start} to ${end} along axis ${axis}`);
  }
  return cut(x, axis, int64s([start]), int64s([end]), end - start);
}

/**
 * The first rows of `x`, as many as `like` has along its axis: position embeddings for a batch of any length, for
 * example.
 */
export function sliceLike(x: Node, axis: number, like: Node, likeAxis: number): Node {
  return cut(x, axis, int64s([0]), dimensionOf(like, likeAxis), like.type.shape[likeAxis]!);
}

function cut(x: Node, axis: number, start: Node, end: Node, length: Dim): Node {
  const at = resolveAxis(axis, x.type.shape.length);
  if (at === undefined) throw new ShapeError("Slice", [x.type.shape], `no axis ${axis}`);
  // ONNX would silently give what there is.
  if (Number(x.type.shape[at]) < Number(length))
    throw new ShapeError("Slice", [x.type.shape], `has no ${length} along axis ${axis}`);
  const to = x.type.shape.map((dim, i) => (i === at ? length : dim));
  return between(x, { start, end, axis: at, to });
}

// start and end are int64 vectors of one element, which may be known only at run time.
function between(x: Node, { start, end, axis, to }: { start: Node; end: Node; axis: number; to: Shape }): Node {
  return layout.Slice([x, start, end, int64s([axis])], { to, axis });
}

// dy in the shape of `like`, with as many zeros along an axis as two int64 vectors of one element say.
function padded(dy: Node, like: Node, { axis, before, behind }: { axis: number; before: Node; behind: Node }): Node {
  const rank = like.type.shape.length;
  const none = (axes: number) => (axes > 0 ? [int64s(Array<number>(axes).fill(0))] : []);
  const pads = concat([...none(axis), before, ...none(rank - 1), behind, ...none(rank - 1 - axis)], 0);
  return layout.Pad([dy, pads, constant(0, dy.type.dataType)], { to: like.type.shape, axis });
}
