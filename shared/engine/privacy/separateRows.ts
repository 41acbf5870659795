/**
 * Whether the rows of a batch stay apart: where one row's value reaches another's loss, no clipping of single rows bounds
 * what a row can do.
 */
import { describe, type Node, topologicalOrder } from "../graph.ts";
import type { OpType } from "../ops/index.ts";
import { type Dim, resolveAxis, type Shape, sameShape } from "../shape.ts";

/** A graph cannot be trained privately; the message names the node or the parameter. */
export class PrivacyError extends Error {
  override name = "PrivacyError";
}

/** Whether a node keeps rows apart, given how to tell which of a shape's axes hold rows. */
type Rule = (node: Node, axes: (shape: Shape) => readonly number[]) => boolean;

const elementwise: Rule = () => true;
const alongAttribute: Rule = ({ inputs, attributes }, axes) => {
  return inputs.every((input) => !axes(input.type.shape).includes(attributes.axis as number));
};
const overAttribute: Rule = ({ inputs, attributes }, axes) => {
  return !axes(inputs[0]!.type.shape).some((axis) => (attributes.over as readonly number[]).includes(axis));
};
const overLast: Rule = ({ inputs }, axes) => {
  const { shape } = inputs[0]!.type;
  return !axes(shape).includes(shape.length - 1);
};
const contracted: Rule = ({ inputs }, axes) => {
  return inputs.every(({ type: { shape } }, i) => {
    return !axes(shape).includes(resolveAxis(i === 0 ? -1 : -2, shape.length)!);
  });
};
// Elements keep their order, so rows stay apart where they are counted first, or where nothing up to them changes.
const reshaped: Rule = ({ inputs, type }, axes) => {
  const { shape } = inputs[0]!.type;
  const [from, to] = [axes(shape)[0], axes(type.shape)[0]];
  if (from === undefined || to === undefined) return from === to;
  return (from === 0 && to === 0) || sameShape(shape.slice(0, from + 1), type.shape.slice(0, to + 1));
};
// A window slides over all axes but the first two.
const windowed: Rule = ({ inputs }, axes) =>
  inputs.every((input, i) => axes(input.type.shape).every((a) => a + i === 0));

const everywhere = <Name extends OpType>(rule: Rule, ...names: Name[]) =>
  Object.fromEntries(names.map((name) => [name, rule])) as Record<Name, Rule>;

// An op that is not here is refused: one that mixes rows must not slip through because it is new.
const rules: Partial<Record<OpType, Rule>> = {
  ...everywhere(
    elementwise,
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Max",
    "Min",
    "Neg",
    "Exp",
    "Log",
    "Sqrt",
    "Abs",
    "Sign",
  ),
  ...everywhere(elementwise, "Tanh", "Sigmoid", "Relu", "Erf", "Gelu", "Softplus", "Clip", "Equal", "Greater", "Less"),
  ...everywhere(elementwise, "Where", "Cast", "Transpose", "Squeeze", "Unsqueeze", "Expand", "BitwiseXor", "BitShift"),
  ...everywhere(elementwise, "Shape", "ConstantOfShape", "Range"),
  ...everywhere(alongAttribute, "Concat", "Slice", "Pad", "GatherElements", "ScatterElements"),
  ...everywhere(overAttribute, "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"),
  ...everywhere(overLast, "Softmax", "LogSoftmax", "LayerNormalization"),
  ...everywhere(windowed, "Conv", "MaxPool", "AveragePool"),
  Gather: ({ inputs, attributes }, axes) => !axes(inputs[0]!.type.shape).includes(attributes.axis as number),
  MatMul: contracted,
  Reshape: reshaped,
};

/** Throws PrivacyError naming the first node by which `losses`, one number a row, mix the rows of dimension `rows`. */
export function requireSeparateRows(losses: Node, rows: Dim): void {
  const isRows = (dim: Dim) => String(dim).split("*").includes(String(rows));
  const axes = (shape: Shape) => [...shape.keys()].filter((axis) => isRows(shape[axis]!));
  for (const node of topologicalOrder([losses])) {
    if (!node.inputs.some((input) => axes(input.type.shape).length > 0)) continue;
    const rule = rules[node.op as OpType];
    // Two axes of rows make a table of each row with each.
    if (!rule?.(node, axes) || axes(node.type.shape).length > 1) {
      throw new PrivacyError(
        `${describe(node)} may mix the rows of a batch ("${rows}"), so no row can be clipped alone`,
      );
    }
  }
}
