/** Integer ops on uint32, from which random numbers are made that are the same on every device. */
import { defineOp } from "../defineOp.ts";
import { constant, type Node } from "../graph.ts";
import { product } from "../shape.ts";
import { broadcastType, mul, type Operand, operands } from "./elementwise.ts";
import { reshape } from "./layout.ts";
import { cast } from "./logic.ts";
import { dimensionOf } from "./shapes.ts";

export const bits = {
  BitwiseXor: defineOp<2>("BitwiseXor", { infer: broadcastType, gradient: "none" }),
  BitShift: defineOp<2, { direction: "RIGHT" }>("BitShift", {
    attributes: { direction: "string" },
    infer: broadcastType,
    gradient: "none",
  }),
  Range: defineOp<3, { length: number | string }>("Range", {
    attributes: { length: "static" },
    infer: ([start], { length }) => ({ shape: [length], dataType: start.dataType }),
    gradient: "none",
  }),
};

export function bitwiseXor(a: Operand, b: Operand): Node {
  return bits.BitwiseXor(operands(a, b), {});
}

/** x with its bits moved down by `count`, zeros coming in. */
export function shiftRight(x: Node, count: number): Node {
  return bits.BitShift([x, constant(count, x.type.dataType)], { direction: "RIGHT" });
}

/** 0, 1, 2 ... as uint32, as many as all axes of x but the last have elements together. */
export function rowNumbers(x: Node): Node {
  const axes = [...x.type.shape.keys()].slice(0, -1);
  const length = product(axes.map((axis) => x.type.shape[axis]!));
  const counted = axes
    .map((axis) => reshape(dimensionOf(x, axis), []))
    .reduce((a, b) => mul(a, b), constant(1, "int64"));
  return cast(bits.Range([constant(0, "int64"), counted, constant(1, "int64")], { length }), "uint32");
}
