/**
 * Each row's own gradient, for linear layers (heads, adapters) by one batched product over the batch: what reaches a
 * layer's output is differentiated as always, and only the last product, over inputs and what reached the output, is
 * taken row by row instead of summed (Goodfellow 2015).
 */
import { gradients } from "../gradient.ts";
import { describe, type Node, topologicalOrder } from "../graph.ts";
import { add } from "../ops/elementwise.ts";
import { reshape, unsqueeze } from "../ops/layout.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { reduceSum } from "../ops/reductions.ts";
import { product, sameShape } from "../shape.ts";
import { PrivacyError, requireSeparateRows } from "./separateRows.ts";

/**
 * [rows, ...shape] for each parameter, from `losses`, float32 [rows], in which no row depends on another. Memory: rows
 * times the parameters. Throws PrivacyError naming what mixes rows, or a parameter used otherwise than as the right
 * matrix of a product or as a bias.
 */
export function perExampleGradients(losses: Node, parameters: readonly Node[]): Map<Node, Node> {
  const [rows] = losses.type.shape;
  if (typeof rows !== "string" || losses.type.shape.length !== 1) {
    throw new PrivacyError(`losses must be a vector of a symbolic length, not ${describe(losses)}`);
  }
  requireSeparateRows(losses, rows);
  const uses = usesOf(losses, parameters);
  const reached = gradients(reduceSum(losses), [...new Set(uses.map(({ by }) => by))]);
  const found = new Map<Node, Node>();
  for (const use of uses) {
    const gradient = rules[use.by.op]?.(use, reached.get(use.by)!);
    if (!gradient)
      throw new PrivacyError(`${describe(use.of)} has no gradient by row where ${describe(use.by)} uses it`);
    const soFar = found.get(use.of);
    found.set(use.of, soFar ? add(soFar, gradient) : gradient);
  }
  const unused = parameters.find((parameter) => !found.has(parameter));
  if (unused) throw new PrivacyError(`the losses do not depend on ${describe(unused)}`);
  return new Map(parameters.map((parameter) => [parameter, found.get(parameter)!]));
}

interface Use {
  readonly of: Node;
  readonly by: Node;
  /** Which operand it is there. */
  readonly operand: number;
  /** Whether the matrix was exchanged with its transpose before. */
  readonly swapped: boolean;
}

function usesOf(losses: Node, parameters: readonly Node[]): Use[] {
  const forms = new Map(parameters.map((of) => [of, { of, swapped: false }]));
  const uses: Use[] = [];
  for (const by of topologicalOrder([losses])) {
    const [only] = by.inputs;
    const form = only && by.op === "Transpose" && only.type.shape.length === 2 ? forms.get(only) : undefined;
    if (form) forms.set(by, { of: form.of, swapped: !form.swapped });
    else
      for (const [operand, input] of by.inputs.entries())
        if (forms.has(input)) uses.push({ ...forms.get(input)!, by, operand });
  }
  return uses;
}

/** From what reached the use's output, or undefined where the use is not of the kind. */
type Rule = (use: Use, dy: Node) => Node | undefined;

const rules: Readonly<Record<string, Rule>> = {
  // d(x W) / dW = x^T dy, row by row; the sequence and whatever lies between are summed by the product.
  MatMul: ({ by: { inputs }, operand, swapped, of }, dy) => {
    const x = inputs[0]!;
    if (operand !== 1 || of.type.shape.length !== 2 || x.type.shape[0] !== dy.type.shape[0]) return undefined;
    const [left, right] = [byRow(x), byRow(dy)];
    return swapped ? matmul(swapLast(right), left) : matmul(swapLast(left), right);
  },
  Add: ({ by, of }, dy) => {
    const { shape } = of.type;
    const between = by.type.shape.slice(1, by.type.shape.length - shape.length);
    if (by.type.shape.length <= shape.length || !sameShape([by.type.shape[0]!, ...between, ...shape], by.type.shape)) {
      return undefined;
    }
    return reduceSum(dy, { axes: between.map((_, i) => i + 1) });
  },
};

/** [rows, n, features]. */
function byRow(x: Node): Node {
  const { shape } = x.type;
  if (shape.length === 2) return unsqueeze(x, [1]);
  return shape.length === 3 ? x : reshape(x, [shape[0]!, product(shape.slice(1, -1)), shape.at(-1)!]);
}
