/** A graph that repeats: several tokens a call, as the body of an ONNX Loop. */
import type { TypedArray } from "../dataTypes.ts";
import type { Domain } from "../defineOp.ts";
import type { Node } from "../graph.ts";
import { constant, topologicalOrder } from "../graph.ts";
import { collectLeaves, splitParameters, valueInfo, writeConstants } from "../onnx.ts";
import { writeNodes } from "../onnxNodes.ts";
import { encodeModel, type GraphProto, type NodeProto, type ValueInfoProto } from "../onnxSchema.ts";

/** A value one step hands to the next. Its sizes may change from step to step. */
export interface Carried {
  /** The leaf that stands for it within a step. */
  readonly before: Node;
  /** What it is at first, computed before the loop. */
  readonly first: Node;
  readonly after: Node;
  /** Whether its last value is an output of the model. */
  readonly returned?: boolean;
}

export interface GenerationLoop {
  /** The most steps, an int64 scalar. */
  readonly steps: Node;
  readonly carried: Readonly<Record<string, Carried>>;
  /** A bool scalar: whether another step may follow. */
  readonly goOn: Node;
  /** Returned with a leading axis of the steps that were taken. */
  readonly collected: Readonly<Record<string, Node>>;
}

export interface LoopWithData {
  readonly loop: GenerationLoop;
  readonly initializers: Readonly<Record<string, TypedArray>>;
  /** As of a `Model`. */
  readonly domains?: readonly Domain[] | undefined;
}

// Names inside the body must differ from those outside, which it sees too.
const inner = (name: string) => `step:${name}`;

/**
 * Weights with data are stored once, outside the loop; so is all that no step changes, such as weights transposed.
 * Throws ExportError as `toOnnx` does.
 */
export function loopModel({ loop, initializers, domains = [] }: LoopWithData): Uint8Array {
  const carried = Object.entries(loop.carried);
  const results = stepResults(loop);
  const before = new Set(carried.map(([, { before }]) => before));
  const firsts = Object.fromEntries(carried.map(([name, { first }]) => [`first:${name}`, first]));
  const leaves = collectLeaves([...Object.values(firsts), ...Object.values(results), loop.steps]);
  const inputs = leaves.inputs.filter((node) => !before.has(node));
  const weights = splitParameters(leaves.parameters, initializers);
  const always = constant(1, "bool");
  const constants = writeConstants([...leaves.constants, always]);
  const given = new Map(constants.names);
  for (const leaf of [...inputs, ...leaves.parameters]) given.set(leaf, leaf.name!);
  const settled = settledValues(Object.values(results), before);
  const outside = { ...firsts, ...Object.fromEntries(settled.map((node, i) => [`settled:${i}`, node])) };
  const within = new Map([...given, ...settled.map((node, i) => [node, `settled:${i}`] as const)]);
  const returned = carried.filter(([, value]) => value.returned);
  const collected = Object.entries(loop.collected).map(([name, { type }]) =>
    valueInfo(name, { shape: ["taken", ...type.shape], dataType: type.dataType }),
  );
  const inputNames = [loop.steps.name!, constants.names.get(always)!, ...Object.keys(firsts)];
  const graph: GraphProto = {
    name: "generation",
    node: [...writeNodes(outside, given, "", domains), loopNode(loop, inputNames, within, domains)],
    initializer: [...weights.stored, ...constants.tensors],
    input: [...inputs, ...weights.fed].map((leaf) => valueInfo(leaf.name!, leaf.type)),
    output: [...returned.map(([name, { after }]) => valueInfo(name, after.type)), ...collected],
  };
  return encodeModel(graph, domains);
}

/** What a step computes: whether to go on, what it hands on, and what is collected. */
function stepResults({ goOn, carried, collected }: GenerationLoop): Record<string, Node> {
  const handed = Object.entries(carried).map(([name, { after }]) => [inner(`new:${name}`), after]);
  const kept = Object.entries(collected).map(([name, node]) => [inner(name), node]);
  return { [inner("goOn")]: goOn, ...Object.fromEntries([...handed, ...kept]) };
}

/**
 * The values a step reads that do not depend on what is carried. A transposed input stays in the step: the runtime
 * reads it in its own order within the product, where outside it would be copied.
 */
function settledValues(roots: readonly Node[], before: ReadonlySet<Node>): Node[] {
  const order = topologicalOrder(roots);
  const changing = new Set<Node>(before);
  for (const node of order) if (node.inputs.some((operand) => changing.has(operand))) changing.add(node);
  const isTransposedInput = ({ op, inputs }: Node) => op === "Transpose" && inputs[0]!.op === "Input";
  const stays = (node: Node) => changing.has(node) || isTransposedInput(node);
  const read = order.filter(stays).flatMap(({ inputs }) => inputs);
  return [...new Set(read)].filter((node) => !stays(node) && node.inputs.length > 0);
}

function loopNode(
  loop: GenerationLoop,
  input: string[],
  outside: ReadonlyMap<Node, string>,
  domains: readonly Domain[],
): NodeProto {
  const carried = Object.entries(loop.carried).map(([name, { returned }]) => (returned ? name : `last:${name}`));
  const names = [...carried, ...Object.keys(loop.collected)];
  const g = stepGraph(loop, outside, domains);
  return { opType: "Loop", name: "Loop", input, output: names, attribute: [{ name: "body", type: 5, g }] };
}

function stepGraph(loop: GenerationLoop, outside: ReadonlyMap<Node, string>, domains: readonly Domain[]): GraphProto {
  const results = stepResults(loop);
  const carried = Object.entries(loop.carried);
  const given = new Map(outside);
  for (const [name, { before }] of carried) given.set(before, inner(name));
  const scalar = (name: string, dataType: "int64" | "bool"): ValueInfoProto => valueInfo(name, { shape: [], dataType });
  return {
    name: "step",
    node: writeNodes(results, given, inner(""), domains),
    input: [
      scalar(inner("index"), "int64"),
      scalar(inner("go"), "bool"),
      ...carried.map(([name, { before }]) => valueInfo(inner(name), before.type)),
    ],
    output: Object.entries(results).map(([name, node]) => valueInfo(name, node.type)),
  };
}
