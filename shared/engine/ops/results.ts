/** Results beyond the first of an op that has several. A node stands for one value; its first result is itself. */
import type { DataType } from "../dataTypes.ts";
import { defineOp } from "../defineOp.ts";
import type { Node, TensorType } from "../graph.ts";
import type { Shape } from "../shape.ts";

export const results = {
  // No op of ONNX: it is written as another output of the node it belongs to.
  Result: defineOp<1, { index: number; to: Shape; dataType: DataType }>("Result", {
    attributes: { index: "static", to: "static", dataType: "static" },
    infer: (_inputs, { to, dataType }) => ({ shape: to, dataType }),
    gradient: "none",
  }),
};

/** Output number `index`, counted from 0, of the op that computes `node`, and what it holds. */
export function result(node: Node, index: number, { shape, dataType }: TensorType): Node {
  return results.Result([node], { index, to: shape, dataType });
}
