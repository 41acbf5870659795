/** Nodes as ONNX NodeProtos, in topological order, with generated names for the values between them. */
import { type DataType, dataTypes } from "./dataTypes.ts";
import type { AttributeKind } from "./defineOp.ts";
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
 * that is itself named already gets an Identity. Throws TypeError for an op or attribute this engine does not define.
 */
export function writeNodes(outputs: Readonly<Record<string, Node>>, given: ReadonlyMap<Node, string>): NodeProto[] {
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
  for (const [i, node] of written.entries()) if (!names.has(node)) names.set(node, unused(`${node.op}_${i}`, taken));
  return [...written.map((node) => writeNode(node, names)), ...copies];
}

function unused(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? unused(`${name}_`, taken) : name;
}

function writeNode(node: Node, names: ReadonlyMap<Node, string>): NodeProto {
  const kinds = definitionOf(node)?.attributes ?? {};
  const attribute = Object.entries(node.attributes).flatMap(([name, value]) => {
    const kind = kinds[name];
    if (!kind) throw new TypeError(`${describe(node)}: attribute "${name}" is not defined for this op`);
    return kind === "static" ? [] : [{ name, ...writers[kind](value) }];
  });
  const name = names.get(node)!;
  return { opType: node.op, name, input: node.inputs.map((input) => names.get(input)!), output: [name], attribute };
}
