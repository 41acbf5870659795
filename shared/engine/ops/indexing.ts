/** Reading rows and elements by index, and their gradients, which add to what was read. */
import { defineOp } from "../defineOp.ts";
import type { Node, TensorType } from "../graph.ts";
import { formatShape, product, resolveAxis, type Shape, ShapeError, sameShape } from "../shape.ts";
import { expandLike, reshape, unsqueeze } from "./layout.ts";
import { zerosLike } from "./shapes.ts";

type Fail = (reason: string) => ShapeError;

function requireIndices(type: TensorType, fail: Fail): void {
  if (type.dataType !== "int32" && type.dataType !== "int64")
    throw fail(`indices are ${type.dataType}, not int32 or int64`);
}

function scattered([data, indices, updates]: readonly TensorType[], expected: Shape, fail: Fail): TensorType {
  requireIndices(indices!, fail);
  if (!sameShape(updates!.shape, expected)) throw fail(`updates must be ${formatShape(expected)}`);
  return data!;
}

export const indexing = {
  Gather: defineOp<2, { axis: number }>("Gather", {
    attributes: { axis: "int" },
    infer: ([table, indices], { axis }, fail) => {
      requireIndices(indices, fail);
      const shape = [...table.shape.slice(0, axis), ...indices.shape, ...table.shape.slice(axis + 1)];
      return { shape, dataType: table.dataType };
    },
    gradient: ({ inputs: [table, indices], dy, attributes: { axis } }) => [addTo(table, indices, dy, axis), null],
  }),
  GatherElements: defineOp<2, { axis: number }>("GatherElements", {
    attributes: { axis: "int" },
    infer: ([x, indices], { axis }, fail) => {
      requireIndices(indices, fail);
      const others = (shape: Shape) => shape.map((dim, i) => (i === axis ? 1 : dim));
      if (!sameShape(others(x.shape), others(indices.shape))) throw fail(`shapes differ beyond axis ${axis}`);
      return { shape: indices.shape, dataType: x.dataType };
    },
    gradient: ({ inputs: [x, indices], dy, attributes: { axis } }) => [scattering(x, indices, dy, axis), null],
  }),
  ScatterElements: defineOp<3, { axis: number; reduction: "add" }>("ScatterElements", {
    attributes: { axis: "int", reduction: "string" },
    infer: (inputs, _attributes, fail) => scattered(inputs, inputs[1].shape, fail),
    gradient: ({ inputs: [, indices], dy, attributes: { axis } }) => [dy, null, gatherElements(dy, indices, axis)],
  }),
};

// ScatterND(add) would fit, but ONNX Runtime's CPU kernel runs it in parallel over rows without a lock: with repeated
// rows and two threads it lost updates (about one run in three differed, onnxruntime-node 1.30.0). ScatterElements(add)
// adds in index order: equal bit for bit over runs, sessions and thread counts. test/shared/engine/determinism.test.ts
// holds it to that.
function addTo(table: Node, indices: Node, dy: Node, axis: number): Node {
  const { shape } = table.type;
  const count = product(indices.type.shape);
  const updates = reshape(dy, [...shape.slice(0, axis), count, ...shape.slice(axis + 1)]);
  const places = reshape(
    indices,
    shape.map((_, i) => (i === axis ? count : 1)),
  );
  return scattering(table, expandLike(places, updates), updates, axis);
}

function scattering(like: Node, indices: Node, updates: Node, axis: number): Node {
  return scatterElements(zerosLike(like), indices, updates, axis);
}

/**
 * Slices of `table` across `axis` (default 0: rows) by number: in the result's shape the shape of `indices` stands in
 * the place of that axis.
 */
export function gather(table: Node, indices: Node, axis = 0): Node {
  return indexing.Gather([table, indices], { axis: known("Gather", table, axis) });
}

/** `data` with each update added at its index along `axis`; indices and updates have one shape. */
export function scatterElements(data: Node, indices: Node, updates: Node, axis: number): Node {
  const at = known("ScatterElements", data, axis);
  return indexing.ScatterElements([data, indices, updates], { axis: at, reduction: "add" });
}

function known(op: string, x: Node, axis: number): number {
  const at = resolveAxis(axis, x.type.shape.length);
  if (at === undefined) throw new ShapeError(op, [x.type.shape], `no axis ${axis}`);
  return at;
}

/** One element per index along `axis`, counted from either end; `indices` has the shape of x except there. */
export function gatherElements(x: Node, indices: Node, axis: number): Node {
  return indexing.GatherElements([x, indices], { axis: known("GatherElements", x, axis) });
}

/** For each row of the last axis the element that `labels` (one axis fewer) names. */
export function pick(x: Node, labels: Node): Node {
  const axis = x.type.shape.length - 1;
  return reshape(gatherElements(x, unsqueeze(labels, [axis]), axis), labels.type.shape);
}
