/** The greatest elements of the last axis, in order, and running sums along it. */
import { defineOp } from "../defineOp.ts";
import { constant, type Node } from "../graph.ts";
import type { Dim } from "../shape.ts";
import { result } from "./results.ts";

export const selection = {
  // The second result: where each element lay, int64. Of equal elements the first comes first.
  TopK: defineOp<2, { length: Dim }>("TopK", {
    attributes: { length: "static" },
    infer: ([x], { length }, fail) => {
      if (x.shape.length === 0) throw fail("a scalar has no last axis");
      return { shape: [...x.shape.slice(0, -1), length], dataType: x.dataType };
    },
    results: 2,
    gradient: "none",
  }),
  CumSum: defineOp<2, { exclusive: 0 | 1 }>("CumSum", {
    attributes: { exclusive: "int" },
    infer: ([x], _attributes, fail) => {
      if (x.shape.length === 0) throw fail("a scalar has no last axis");
      return x;
    },
    gradient: "none",
  }),
};

/** The `count` (int64 [1], known at run time) greatest of each row, from the greatest down, and their places (int64). */
export function topK(x: Node, count: Node, length: Dim): { readonly values: Node; readonly places: Node } {
  const values = selection.TopK([x, count], { length });
  return { values, places: result(values, 1, { shape: values.type.shape, dataType: "int64" }) };
}

/** Sums along the last axis of all elements up to each, which is itself left out where `exclusive`. */
export function cumulativeSum(x: Node, { exclusive = false } = {}): Node {
  return selection.CumSum([x, constant(x.type.shape.length - 1, "int64")], { exclusive: exclusive ? 1 : 0 });
}
