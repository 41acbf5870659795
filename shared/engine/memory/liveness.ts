/** How many bytes are alive at once while a graph runs: the largest sum over its execution order. */
import { type Node, topologicalOrder } from "../graph.ts";
import { executionOrder } from "./executionOrder.ts";
import { type Bindings, bytesOf } from "./sizes.ts";

export interface Peak {
  readonly bytes: number;
  /** What is alive then, by the node that owns the memory. */
  readonly alive: ReadonlyMap<Node, number>;
}

/** Ops whose result is their first operand's memory. */
const views = new Set(["Reshape", "Squeeze", "Unsqueeze"]);
/** Ops that write over an operand nobody reads again. */
const overwriting = new Set(
  "Add Sub Mul Div Neg Exp Log Sqrt Abs Tanh Sigmoid Relu Erf Gelu Clip Softmax LogSoftmax".split(" "),
);

/**
 * The peak of values between leaves and results, results included, leaves not: they belong to whoever feeds them. A
 * transpose that only products read is not counted, as the runtime multiplies by the transposed operand directly.
 */
export function peakOf(outputs: readonly Node[], bindings: Bindings): Peak {
  const order = executionOrder(outputs);
  const owners = ownersOf(order, transposesInProducts(topologicalOrder(outputs)));
  const lastUse = new Map<Node, number>();
  order.forEach((node, i) => {
    for (const value of [node, ...node.inputs]) if (owners.has(value)) lastUse.set(owners.get(value)!, i);
  });
  for (const node of outputs) if (owners.has(node)) lastUse.set(owners.get(node)!, order.length);
  const alive = new Map<Node, number>();
  let [bytes, best, atPeak] = [0, 0, new Map<Node, number>()];
  const release = (owner: Node) => {
    bytes -= alive.get(owner) ?? 0;
    alive.delete(owner);
  };
  order.forEach((node, i) => {
    const ending = new Set(node.inputs.flatMap((input) => (owners.has(input) ? [owners.get(input)!] : [])));
    for (const owner of ending) if (lastUse.get(owner) !== i) ending.delete(owner);
    if (owners.get(node) === node) {
      const size = bytesOf(node, bindings);
      const reused = overwriting.has(node.op) && [...ending].find((owner) => alive.get(owner) === size);
      if (reused) release(reused);
      alive.set(node, size);
      bytes += size;
    }
    if (bytes > best) [best, atPeak] = [bytes, new Map(alive)];
    for (const owner of ending) release(owner);
    if (lastUse.get(node) === i) release(node);
  });
  return { bytes: best, alive: atPeak };
}

/** By node, the node whose memory holds its value; nothing where a leaf's does. */
function ownersOf(order: readonly Node[], free: ReadonlySet<Node>): Map<Node, Node> {
  const owners = new Map<Node, Node>();
  for (const node of order) {
    const source = node.inputs[0]!;
    if (!views.has(node.op) && !free.has(node)) owners.set(node, node);
    else if (owners.has(source)) owners.set(node, owners.get(source)!);
  }
  return owners;
}

function transposesInProducts(order: readonly Node[]): Set<Node> {
  const found = new Set(order.filter(exchangesLast));
  for (const node of order) if (node.op !== "MatMul") for (const input of node.inputs) found.delete(input);
  return found;
}

function exchangesLast({ op, attributes, type }: Node): boolean {
  if (op !== "Transpose") return false;
  const perm = attributes.perm as readonly number[];
  const rank = type.shape.length;
  return perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
}
