/**
 * Products in half precision, everything else in float32 (Micikevicius et al. 2018, "Mixed Precision Training"): a
 * rewriting of a graph that may hold gradients already, so that both passes are cast by one rule.
 */
import type { Node } from "../graph.ts";
import { cast } from "../ops/logic.ts";
import { rewrite } from "../rewrite.ts";

export type HalfType = "float16" | "bfloat16";

export interface AutocastOptions {
  readonly to: HalfType;
  /**
   * Operands and results are rounded to `to`, and multiplied in float32: for a provider without such kernels, as ONNX
   * Runtime's CPU is. Default false.
   */
  readonly emulate?: boolean;
}

/** Where accelerators have half-precision units; sums within a product are float32 there. */
const products = new Set(["MatMul", "Conv", "ConvTranspose"]);
/** What moves elements and does not compute: done on the half of the bytes where the operand is half already. */
const moving = new Set(["Transpose", "Reshape", "Squeeze", "Unsqueeze", "Expand", "Slice"]);

/** What each node under the roots becomes. Every value keeps its type; casts stand around products and nowhere else. */
export function autocast(roots: readonly Node[], { to, emulate = false }: AutocastOptions): ReadonlyMap<Node, Node> {
  const halves = new Map<Node, Node>();
  const half = (x: Node): Node => {
    const known = halves.get(x) ?? halfOf(x, to) ?? cast(x, to);
    halves.set(x, known);
    return known;
  };
  const multiply = (node: Node, operands: readonly Node[]): Node =>
    emulate
      ? cast({ ...node, inputs: operands.map((operand) => cast(operand, "float32")) }, to)
      : retyped(node, operands, to);
  return rewrite(roots, (node, inputs) => {
    if (node.type.dataType !== "float32") return undefined;
    if (products.has(node.op)) return cast(multiply(node, inputs.map(half)), "float32");
    const moved = moving.has(node.op) && halfOf(inputs[0]!, to);
    return moved ? cast(retyped(node, [moved, ...inputs.slice(1)], to), "float32") : undefined;
  });
}

/** The half-precision value that x was widened from, of which it is an exact copy. */
function halfOf(x: Node, to: HalfType): Node | undefined {
  const [source] = x.inputs;
  return x.op === "Cast" && source?.type.dataType === to ? source : undefined;
}

function retyped(node: Node, inputs: readonly Node[], dataType: HalfType): Node {
  return { ...node, inputs, type: { ...node.type, dataType } };
}
