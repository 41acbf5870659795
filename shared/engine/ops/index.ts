/** The op table. An op that is missing here does not exist; its name here is its name in ONNX. */
import type { Arity, OpDefinition } from "../defineOp.ts";
import type { Attributes, Node } from "../graph.ts";
import { activations } from "./activations.ts";
import { bits } from "./bits.ts";
import { blockQuantized } from "./blockQuantized.ts";
import { convolution } from "./convolution.ts";
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { layout } from "./layout.ts";
import { logic } from "./logic.ts";
import { matrix } from "./matmul.ts";
import { normalization } from "./normalization.ts";
import { pooling } from "./pooling.ts";
import { quantized } from "./quantized.ts";
import { reductions } from "./reductions.ts";
import { results } from "./results.ts";
import { selection } from "./selection.ts";
import { shapes } from "./shapes.ts";
import { smoothActivations } from "./smoothActivations.ts";

export const ops = {
  ...elementwise,
  ...activations,
  ...smoothActivations,
  ...logic,
  ...matrix,
  ...layout,
  ...shapes,
  ...reductions,
  ...normalization,
  ...indexing,
  ...convolution,
  ...pooling,
  ...bits,
  ...quantized,
  ...blockQuantized,
  ...results,
  ...selection,
};

export type OpType = keyof typeof ops;

/** The definition of a node's op, or undefined for a leaf. Throws TypeError for an op that is not in the table. */
export function definitionOf(node: Node): OpDefinition<Arity, Attributes> | undefined {
  if (node.op === "Input" || node.op === "Parameter" || node.op === "Constant") return undefined;
  if (!Object.hasOwn(ops, node.op)) throw new TypeError(`${node.op} is not an op of this engine`);
  return ops[node.op as OpType] as unknown as OpDefinition<Arity, Attributes>;
}
