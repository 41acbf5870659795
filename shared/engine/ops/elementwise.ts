/** Two-operand arithmetic with numpy broadcasting. */
import { defineOp, type GradientContext } from "../defineOp.ts";
import { constant, type Node, type TensorType } from "../graph.ts";
import { broadcastShapes, type ShapeError } from "../shape.ts";
import { log, neg } from "./activations.ts";
import { equal, where } from "./logic.ts";

/** A node, or a number that becomes a scalar of the other operand's type. */
export type Operand = Node | number;

/** The type of a broadcast result; both operands must have one data type. */
export function broadcastType(
  [a, b]: readonly [TensorType, TensorType],
  _attributes: unknown,
  fail: (reason: string) => ShapeError,
): TensorType {
  if (a.dataType !== b.dataType) throw fail(`data types differ: ${a.dataType} and ${b.dataType}`);
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape) throw fail("shapes do not broadcast");
  return { shape, dataType: a.dataType };
}

/** Both operands as nodes. At least one must be a node already. */
export function operands(a: Operand, b: Operand): readonly [Node, Node] {
  if (typeof a !== "number") return [a, typeof b === "number" ? constant(b, a.type.dataType) : b];
  if (typeof b !== "number") return [constant(a, b.type.dataType), b];
  throw new TypeError("an op needs at least one node among its operands");
}

export const elementwise = {
  Add: defineOp<2>("Add", { infer: broadcastType, gradient: ({ dy }) => [dy, dy] }),
  Sub: defineOp<2>("Sub", { infer: broadcastType, gradient: ({ dy }) => [dy, neg(dy)] }),
  Mul: defineOp<2>("Mul", { infer: broadcastType, gradient: ({ inputs: [a, b], dy }) => [mul(dy, b), mul(dy, a)] }),
  Div: defineOp<2>("Div", {
    infer: broadcastType,
    // d(a/b)/db = -(a/b)/b
    gradient: ({ inputs: [, b], output, dy }) => [div(dy, b), neg(div(mul(dy, output), b))],
  }),
  Pow: defineOp<2>("Pow", {
    infer: broadcastType,
    // d(a^b)/da = b a^(b-1); d(a^b)/db = a^b ln a
    gradient: ({ inputs: [a, b], output, dy }) => [mul(dy, mul(b, pow(a, sub(b, 1)))), mul(dy, mul(output, log(a)))],
  }),
  // On a tie each gets half, so that max(x, x) has the gradient of x.
  Max: defineOp<2>("Max", { infer: broadcastType, gradient: toWinners }),
  Min: defineOp<2>("Min", { infer: broadcastType, gradient: toWinners }),
};

function toWinners({ inputs: [a, b], output, dy }: GradientContext<2, unknown>): readonly Node[] {
  const share = where(equal(a, b), mul(dy, 0.5), dy);
  return [where(equal(a, output), share, 0), where(equal(b, output), share, 0)];
}

export function add(a: Operand, b: Operand): Node {
  return elementwise.Add(operands(a, b), {});
}
export function sub(a: Operand, b: Operand): Node {
  return elementwise.Sub(operands(a, b), {});
}
export function mul(a: Operand, b: Operand): Node {
  return elementwise.Mul(operands(a, b), {});
}
export function div(a: Operand, b: Operand): Node {
  return elementwise.Div(operands(a, b), {});
}
export function pow(a: Operand, b: Operand): Node {
  return elementwise.Pow(operands(a, b), {});
}
export function max(a: Operand, b: Operand): Node {
  return elementwise.Max(operands(a, b), {});
}
export function min(a: Operand, b: Operand): Node {
  return elementwise.Min(operands(a, b), {});
}
export function square(x: Node): Node {
  return mul(x, x);
}
