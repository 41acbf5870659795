/**
 * Activations computed again in the backward pass instead of held for it (Chen et al. 2016, "Training Deep Nets with
 * Sublinear Memory Cost"): a plan over the forward graph, asked by `gradients` for each node's operands.
 */
import { describe, int64s, type Node, topologicalOrder } from "./graph.ts";
import { layerNumber } from "./layers/weightScope.ts";
import { bitwiseXor } from "./ops/bits.ts";
import { layout, reshape } from "./ops/layout.ts";
import { cast, less, where } from "./ops/logic.ts";
import { product } from "./shape.ts";

/** What a gradient rule reads of the forward pass. */
export interface Operands {
  readonly inputs: readonly Node[];
  readonly output: Node;
}

/** A node's operands, when its incoming gradient is `dy`. To be asked from the loss backwards. */
export type Replay = (node: Node, dy: Node) => Operands;

/** Everything as the forward pass left it. */
export const held: Replay = (node) => ({ inputs: node.inputs, output: node });

/**
 * What leads to a boundary is computed again from the boundaries before it, once the gradient has come back that far;
 * boundaries stay in memory, as does what several segments share, and everything behind the last boundary. Throws
 * TypeError for a boundary the loss does not depend on.
 */
export function recomputing(loss: Node, boundaries: readonly Node[]): Replay {
  const order = topologicalOrder([loss]);
  const stray = boundaries.find((node) => !order.includes(node));
  if (stray) throw new TypeError(`the loss does not depend on the boundary ${describe(stray)}`);
  const plan = planOf(order, boundaries);
  const copies = new Map<number, ReadonlyMap<Node, Node>>();
  return (node, dy) => {
    const segment = plan.segments.get(node);
    if (segment === undefined) return held(node, dy);
    const copied = copies.get(segment) ?? copySegment(plan, segment, dy);
    copies.set(segment, copied);
    const read = (value: Node) => copied.get(value) ?? value;
    return { inputs: node.inputs.map(read), output: plan.kept.has(node) ? node : read(node) };
  };
}

/**
 * The values that pass from one numbered layer to the next, told by the names of the weights ("encoder.layer.3...."):
 * boundaries of any model whose layers are numbered. The last layer, whose backward pass comes first, is not among
 * what is recomputed. Throws TypeError where fewer than two layers are found.
 */
export function layerBoundaries(loss: Node): Node[] {
  const depths = new Map<Node, number>();
  const found = new Set<Node>();
  for (const node of topologicalOrder([loss])) {
    const depth = Math.max(
      layerNumber(node.name ?? "") ?? Number.NEGATIVE_INFINITY,
      ...node.inputs.map((input) => depths.get(input)!),
    );
    depths.set(node, depth);
    for (const input of node.inputs) if (depths.get(input)! < depth && isStates(input)) found.add(input);
  }
  const layers = new Set(depths.values());
  layers.delete(Number.NEGATIVE_INFINITY);
  if (layers.size < 2) throw new TypeError("no numbered layers are found in the names of the weights: name boundaries");
  return [...found];
}

// Float values the size of the batch; masks and shapes are shared by all layers and kept anyway.
const isStates = ({ op, type }: Node) => op !== "Parameter" && op !== "Input" && type.dataType === "float32";

interface Plan {
  readonly order: readonly Node[];
  /** By node, the segment it is computed in; nothing for what is held. */
  readonly segments: ReadonlyMap<Node, number>;
  readonly kept: ReadonlySet<Node>;
  readonly fixed: ReadonlySet<Node>;
}

function planOf(order: readonly Node[], boundaries: readonly Node[]): Plan {
  const segments = segmentsOf(order, new Set(boundaries));
  const fixed = fixedNodes(order);
  return { order, segments, fixed, kept: keptNodes(order, { order, segments, fixed }, boundaries) };
}

/** By node, the first boundary, counted in graph order, that depends on it; nothing for nodes behind the last one. */
function segmentsOf(order: readonly Node[], boundaries: ReadonlySet<Node>): Map<Node, number> {
  const segments = new Map<Node, number>();
  let next = boundaries.size;
  for (const node of order.toReversed()) {
    if (boundaries.has(node)) segments.set(node, --next);
    const segment = segments.get(node);
    if (segment === undefined) continue;
    for (const input of node.inputs) segments.set(input, Math.min(segment, segments.get(input) ?? segment));
  }
  return segments;
}

/** What outlives the forward pass: boundaries, leaves, sizes, what weights alone decide, and what segments share. */
function keptNodes(order: readonly Node[], { segments, fixed }: Omit<Plan, "kept">, boundaries: readonly Node[]) {
  const kept = new Set([...boundaries, ...fixed]);
  for (const node of order) {
    if (node.inputs.length === 0 || node.op === "Shape") kept.add(node);
    // A size is read while the value is there.
    if (node.op === "Shape") continue;
    for (const input of node.inputs) if (segments.get(input) !== segments.get(node)) kept.add(input);
  }
  // A further result of an op cannot be had without the op.
  for (const node of order) if (node.op === "Result" && kept.has(node.inputs[0]!)) kept.add(node);
  return kept;
}

/** Weights, constants, and what is computed from them alone. */
function fixedNodes(order: readonly Node[]): Set<Node> {
  const fixed = new Set<Node>();
  for (const node of order) {
    const isLeaf = node.op === "Parameter" || node.op === "Constant";
    if (isLeaf || (node.inputs.length > 0 && node.inputs.every((input) => fixed.has(input)))) fixed.add(node);
  }
  return fixed;
}

/** The nodes of a segment by what stands for them in the backward pass, and the kept values they read. */
function copySegment({ order, segments, kept, fixed }: Plan, segment: number, dy: Node): Map<Node, Node> {
  const copies = new Map<Node, Node>();
  const late = falseAfter(dy);
  const read = (value: Node): Node => {
    if (fixed.has(value)) return value;
    if (!copies.has(value)) copies.set(value, kept.has(value) ? delayed(value, late) : again(value));
    return copies.get(value)!;
  };
  const again = (node: Node): Node => ({ ...node, inputs: node.inputs.map(read) });
  for (const node of order) {
    if (segments.get(node) !== segment) continue;
    // In graph order every input has its copy already, so `again` never goes deeper than one node.
    for (const value of [...node.inputs, node]) read(value);
  }
  return copies;
}

/** False, but known only once `dy` is: a number is never less than itself, and neither is what is none. */
function falseAfter(dy: Node): Node {
  const flat = reshape(dy, [product(dy.type.shape)]);
  const first = layout.Slice([flat, int64s([0]), int64s([1]), int64s([0])], { to: [1], axis: 0 });
  return reshape(less(first, first), []);
}

/**
 * x itself, in a form the runtime can neither compute before `late` is known, nor fold, nor merge with x. A Reshape to a
 * shape that depends on `late` would save the copy, but reshapes that follow each other are fused, the shape forgotten.
 */
function delayed(x: Node, late: Node): Node {
  const { dataType } = x.type;
  if (dataType === "bool") return cast(delayed(cast(x, "uint8"), late), "bool");
  return dataType === "uint32" ? bitwiseXor(x, cast(late, "uint32")) : where(late, x, x);
}
