/** Shapes as values: how a size that is known only at run time reaches the ops that need it. */
import { defineOp } from "../defineOp.ts";
import { int64s, type Node } from "../graph.ts";
import { type Dim, formatShape, product, type Shape, ShapeError, sameShape } from "../shape.ts";
import { cast } from "./logic.ts";

export const shapes = {
  Shape: defineOp<1, { start: number; end: number }>("Shape", {
    attributes: { start: "int", end: "int" },
    infer: (_inputs, { start, end }) => ({ shape: [end - start], dataType: "int64" }),
    gradient: "none",
  }),
  ConstantOfShape: defineOp<1, { to: Shape }>("ConstantOfShape", {
    attributes: { to: "static" },
    infer: (_inputs, { to }) => ({ shape: to, dataType: "float32" }),
    gradient: () => [null],
  }),
};

const isKnown = (shape: Shape): shape is readonly number[] => shape.every((dim) => typeof dim === "number");

/** The sizes of axes `start` up to `end` as an int64 vector: a constant where all are known. */
export function shapeOf(x: Node, start = 0, end: number = x.type.shape.length): Node {
  const dims = x.type.shape.slice(start, end);
  return isKnown(dims) ? int64s(dims) : shapes.Shape([earliest(x)], { start, end });
}

/** The size of one axis as an int64 vector of one element. */
export function dimensionOf(x: Node, axis: number): Node {
  return shapeOf(x, axis, axis + 1);
}

/** Zeros of the type of `like`. */
export function zerosLike(like: Node): Node {
  return cast(shapes.ConstantOfShape([shapeOf(like)], { to: like.type.shape }), like.type.dataType);
}

// Asking the earliest value of the same shape lets the runtime free the later ones, and lets equal questions be
// answered once.
function earliest(x: Node): Node {
  const twin = x.inputs.find((input) => sameShape(input.type.shape, x.type.shape));
  return twin ? earliest(twin) : x;
}

/**
 * The second operand of a Reshape of `x` to `to`. ONNX writes 0 for "as in the input" and -1 for "whatever remains",
 * which covers one moved symbolic dimension; for more, the shape is read from `like` at run time.
 */
export function shapeTensor(to: Shape, x: Node, like?: Node): Node {
  if (product(x.type.shape) !== product(to)) {
    throw new ShapeError("Reshape", [x.type.shape], `has not the elements of ${formatShape(to)}`);
  }
  const moved = (dim: Dim, axis: number) => typeof dim === "string" && x.type.shape[axis] !== dim;
  if (to.filter(moved).length <= 1) {
    return int64s(to.map((dim, axis) => (typeof dim === "number" ? dim : moved(dim, axis) ? -1 : 0)));
  }
  if (like) return shapeOf(like);
  throw new ShapeError("Reshape", [x.type.shape], `more than one symbolic dimension moves to reach ${formatShape(to)}`);
}
