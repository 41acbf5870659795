/** Nodes as ONNX NodeProtos, in topological order, with generated names for the values between them. */
import { type DataType, dataTypes } from "./dataTypes.ts";
import type { AttributeKind, Domain } from "./defineOp.ts";
import { type AttributeValue, describe, type Node, topologicalOrder } from "./graph.ts";
import type { AttributeProto, NodeProto } from "./onnxSchema.ts";
import { definitionOf } from "./ops/index.ts";

const writers: Record<Exclude<AttributeKind, "static">, (value: AttributeValue) => Omit<AttributeProto, "name">> = {
  float: (value) => ({ type: 1, f: value as number }),
  int: (value) => ({ type: 2, i: value as number }),
  string: (value) => ({ type: 3, s: Buffer.from(value as string) }),
  ints: (value) => ({ type: 7, ints: value as readonly number[] }),
  dataType: (value) => ({ type: 2, i: dataTypes[value as DataType].onnx }),
};

/**
 * The nodes that compute `outputs`, given the names of the leaves (and of anything else already computed). An output
 * that is itself named already gets an Identity. `prefix` sets the generated names apart from those of a graph around.
 * Throws TypeError for an op or attribute this engine does not define, or an op of a domain that is not among `domains`.
 */
export function writeNodes(
  outputs: Readonly<Record<string, Node>>,
  given: ReadonlyMap<Node, string>,
  prefix = "",
  domains: readonly Domain[] = [],
): NodeProto[] {
  const names = new Map(given);
  const taken = new Set(given.values());
  const copies: NodeProto[] = [];
  for (const [name, node] of Object.entries(outputs)) {
    if (taken.has(name)) throw new TypeError(`output "${name}" has the name of another value`);
    taken.add(name);
    if (!names.has(node)) names.set(node, name);
    else copies.push({ opType: "Identity", name, input: [names.get(node)!], output: [name], attribute: [] });
  }
  const written = topologicalOrder(Object.values(outputs)).filter((node) => !given.has(node));
  for (const [i, node] of written.entries())
    if (!names.has(node)) names.set(node, unused(`${prefix}${node.op}_${i}`, taken));
  for (const node of written) {
    const domain = definitionOf(node)?.domain;
    if (domain && !domains.includes(domain))
      throw new TypeError(`${describe(node)} is of ${domain}, not standard ONNX`);
  }
  const further = furtherResults(written);
  const ops = written.filter(({ op }) => op !== "Result");
  return [...ops.map((node) => writeNode(node, names, further.get(node))), ...copies];
}

/** By node, its results after the first that are asked for, each at its place. */
function furtherResults(nodes: readonly Node[]): Map<Node, Node[]> {
  const found = new Map<Node, Node[]>();
  for (const node of nodes.filter(({ op }) => op === "Result")) {
    const all = found.get(node.inputs[0]!) ?? [];
    all[(node.attributes.index as number) - 1] = node;
    found.set(node.inputs[0]!, all);
  }
  return found;
}

function unused(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? unused(`${name}_`, taken) : name;
}

function writeNode(node: Node, names: ReadonlyMap<Node, string>, further: readonly Node[] = []): NodeProto {
  const definition = definitionOf(node);
  const kinds = definition?.attributes ?? {};
  const attribute = Object.entries(node.attributes).flatMap(([name, value]) => {
    const kind = kinds[name];
    if (!kind) throw new TypeError(`${describe(node)}: attribute "${name}" is not defined for this op`);
    return kind === "static" ? [] : [{ name, ...writers[kind](value) }];
  });
  const name = names.get(node)!;
  const results = definition?.results ?? 1;
  const input = node.inputs.map((operand) => names.get(operand)!);
  // An empty name is a result nobody asked for.
  const output = Array.from({ length: Math.max(results, further.length + 1) }, (_, index) => {
    const asked = index === 0 ? node : further[index - 1];
    return asked ? names.get(asked)! : index < results ? `${name}:${index}` : "";
  });
  return { opType: node.op, name, input, output, attribute, ...(definition?.domain && { domain: definition.domain }) };
}
