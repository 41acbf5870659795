/** Graphs made from graphs: some nodes replaced, everything behind them built again over the replacements. */
import { type Node, topologicalOrder } from "./graph.ts";

/** What takes a node's place, given its inputs as they have become; undefined to leave the node as it is. */
export type Change = (node: Node, inputs: readonly Node[]) => Node | undefined;

/** Each node under the roots by what it has become; those of which nothing changed are themselves. */
export function rewrite(roots: readonly Node[], change: Change): ReadonlyMap<Node, Node> {
  const became = new Map<Node, Node>();
  for (const node of topologicalOrder(roots)) {
    const inputs = node.inputs.map((input) => became.get(input)!);
    const same = inputs.every((input, i) => input === node.inputs[i]);
    became.set(node, change(node, inputs) ?? (same ? node : { ...node, inputs }));
  }
  return became;
}
