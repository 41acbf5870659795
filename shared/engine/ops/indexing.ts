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
  Gather: defineOp<2>("Gather", {
    infer: ([table, indices], _attributes, fail) => {
      requireIndices(indices, fail);
      return { shape: [...indices.shape, ...table.shape.slice(1)], dataType: table.dataType };
    },
    gradient: ({ inputs: [table, indices], dy }) => [scatterRows(table, indices, dy), null],
  }),
  GatherElements: defineOp<2, { axis: number }>("GatherElements", {
    attributes: { axis: "int" },
    infer: ([x, indices], { axis }, fail) => {
      requireIndices(indices, fail);
      const others = (shape: Shape) => shape.map((dim, i) => (i === axis ? 1 : dim));
      if (!sameShape(others(x.shape), others(indices.shape))) throw fail(`shapes differ beyond axis ${axis}`);
      return { shape: indices.shape, dataType: x.dataType };
    },
    gradient: ({ inputs: [x, indices], dy, attributes: { axis } }) => [scatterElements(x, indices, dy, axis), null],
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
function scatterRows(table: Node, indices: Node, dy: Node): Node {
  const rowShape = table.type.shape.slice(1);
  const count = product(indices.type.shape);
  const updates = reshape(dy, [count, ...rowShape]);
  const rows = reshape(indices, [count, ...rowShape.map(() => 1)]);
  return scatterElements(table, expandLike(rows, updates), updates, 0);
}

function scatterElements(like: Node, indices: Node, updates: Node, axis: number): Node {
  return indexing.ScatterElements([zerosLike(like), indices, updates], { axis, reduction: "add" });
}

/** Rows of `table` (its first axis) by number: the result has the shape of `indices`, then the row's. */
export function gather(table: Node, indices: Node): Node {
  return indexing.Gather([table, indices], {});
}

/** One element per index along `axis`, counted from either end; `indices` has the shape of x except there. */
export function gatherElements(x: Node, indices: Node, axis: number): Node {
  const at = resolveAxis(axis, x.type.shape.length);
  if (at === undefined) throw new ShapeError("GatherElements", [x.type.shape], `no axis ${axis}`);
  return indexing.GatherElements([x, indices], { axis: at });
}

/** For each row of the last axis the element that `labels` (one axis fewer) names. */
export function pick(x: Node, labels: Node): Node {
  const axis = x.type.shape.length - 1;
  return reshape(gatherElements(x, unsqueeze(labels, [axis]), axis), labels.type.shape);
}
