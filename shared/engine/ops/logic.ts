/** Comparison, selection and change of data type. */

import { type DataType, isFloat } from "../dataTypes.ts";
import { defineOp } from "../defineOp.ts";
import type { Node, TensorType } from "../graph.ts";
import { broadcastShapes, type ShapeError } from "../shape.ts";
import { broadcastType, type Operand, operands } from "./elementwise.ts";

function comparison(op: string) {
  return defineOp<2>(op, {
    infer: (inputs, attributes, fail) => ({ ...broadcastType(inputs, attributes, fail), dataType: "bool" }),
    gradient: "none",
  });
}

function selection(
  [condition, a, b]: readonly TensorType[],
  _attributes: unknown,
  fail: (reason: string) => ShapeError,
) {
  if (condition!.dataType !== "bool") throw fail(`the condition is ${condition!.dataType}, not bool`);
  const chosen = broadcastType([a!, b!], {}, fail);
  const shape = broadcastShapes(condition!.shape, chosen.shape);
  if (!shape) throw fail("shapes do not broadcast");
  return { shape, dataType: chosen.dataType };
}

export const logic = {
  Equal: comparison("Equal"),
  Greater: comparison("Greater"),
  Less: comparison("Less"),
  Where: defineOp<3>("Where", {
    infer: selection,
    gradient: ({ inputs: [condition], dy }) => [null, where(condition, dy, 0), where(condition, 0, dy)],
  }),
  Cast: defineOp<1, { to: DataType }>("Cast", {
    attributes: { to: "dataType" },
    infer: ([x], { to }) => ({ shape: x.shape, dataType: to }),
    gradient: ({ inputs: [x], dy }) => [isFloat(x.type.dataType) ? cast(dy, x.type.dataType) : null],
  }),
};

export function equal(a: Operand, b: Operand): Node {
  return logic.Equal(operands(a, b), {});
}
export function greater(a: Operand, b: Operand): Node {
  return logic.Greater(operands(a, b), {});
}
export function less(a: Operand, b: Operand): Node {
  return logic.Less(operands(a, b), {});
}
/** Elements of `a` where the bool `condition` holds, of `b` elsewhere. */
export function where(condition: Node, a: Operand, b: Operand): Node {
  const [x, y] = operands(a, b);
  return logic.Where([condition, x, y], {});
}
/** x as another data type; the node itself where it already has that type. */
export function cast(x: Node, to: DataType): Node {
  return x.type.dataType === to ? x : logic.Cast([x], { to });
}
