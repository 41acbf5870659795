/** Products of one input with several narrow matrices, such as the adapters of neighbouring layers, taken as one. */
import { type Node, topologicalOrder } from "./graph.ts";
import { concat, slice } from "./ops/layout.ts";
import { matmul, swapLast } from "./ops/matmul.ts";
import { rewrite } from "./rewrite.ts";

// A kernel of the CPU provider multiplies 16 columns in the time of one.
const narrow = 16;

/**
 * A loss, before it is differentiated, of the same value but for rounding: what several matrices of at most 16 rows
 * multiply (x A^T) is multiplied by all of them at once, forward and backward, and is read from memory once. Only
 * matrices that are parameters are joined. Gradients by row (`perExampleGradients`) do not know the joined form.
 */
export function joinNarrowProducts(loss: Node): Node {
  const groups = groupsByInput([loss]);
  const pieces = new Map<Node, Node>();
  const became = rewrite([loss], (node, [x]) => {
    const group = groups.get(node.inputs[0]!) ?? [];
    if (group.length < 2 || !group.includes(node)) return undefined;
    if (!pieces.has(node)) for (const [product, piece] of joined(x!, group)) pieces.set(product, piece);
    return pieces.get(node);
  });
  return became.get(loss)!;
}

/** The products with narrow matrices, by what these multiply. */
function groupsByInput(roots: readonly Node[]): Map<Node, Node[]> {
  const groups = new Map<Node, Node[]>();
  for (const node of topologicalOrder(roots)) {
    if (node.op !== "MatMul" || !isNarrow(node.inputs[1]!)) continue;
    const [x] = node.inputs as [Node, Node];
    groups.set(x, [...(groups.get(x) ?? []), node]);
  }
  return groups;
}

function isNarrow({ op, inputs }: Node): boolean {
  const [stored] = inputs;
  if (op !== "Transpose" || stored?.op !== "Parameter") return false;
  return stored.type.shape.length === 2 && (stored.type.shape[0] as number) <= narrow;
}

function joined(x: Node, products: readonly Node[]): [Node, Node][] {
  const matrices = products.map(({ inputs }) => inputs[1]!.inputs[0]!);
  const all = matmul(x, swapLast(concat(matrices, 0)));
  let start = 0;
  return products.map((product, i) => {
    const end = start + (matrices[i]!.type.shape[0] as number);
    const piece = slice(all, { axis: all.type.shape.length - 1, start, end });
    start = end;
    return [product, piece];
  });
}
