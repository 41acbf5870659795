/** The order in which ONNX Runtime's sequential executor runs a graph, on which it depends how much lives at once. */
import { type Node, topologicalOrder } from "../graph.ts";

/**
 * The nodes under `outputs` that compute something, in execution order: depth first from the results nobody reads, the
 * last written first, and of a node's operands the last written first (onnxruntime, graph.cc, `ReverseDFSFrom` with
 * `NodeCompare`). What graph optimisation fuses may move a little.
 */
export function executionOrder(outputs: readonly Node[]): Node[] {
  const written = topologicalOrder(outputs);
  const place = new Map(written.map((node, i) => [node, i]));
  const read = new Set(written.flatMap((node) => node.inputs));
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack = written.filter((node) => !read.has(node)).map((node) => ({ node, done: false }));
  while (stack.length > 0) {
    const { node, done } = stack.pop()!;
    if (done) order.push(node);
    else if (!seen.has(node)) {
      seen.add(node);
      stack.push({ node, done: true });
      const inputs = node.inputs.filter((input) => !seen.has(input)).sort((a, b) => place.get(a)! - place.get(b)!);
      for (const input of inputs) stack.push({ node: input, done: false });
    }
  }
  return order.filter((node) => node.inputs.length > 0);
}
