/** From a node graph to an ONNX model: names are given here, and the same graph always gives the same bytes. */
import { dataTypes, type TypedArray } from "./dataTypes.ts";
import type { Domain } from "./defineOp.ts";
import { describe, type Node, type TensorType, topologicalOrder } from "./graph.ts";
import { writeNodes } from "./onnxNodes.ts";
import { encodeModel, type TensorProto, type ValueInfoProto } from "./onnxSchema.ts";
import { elementCount } from "./shape.ts";

/** A graph cannot be written as ONNX; the message names the node or the name at fault. */
export class ExportError extends Error {
  override name = "ExportError";
}

export interface Model {
  /** The results by the name they get in the model. */
  readonly outputs: Readonly<Record<string, Node>>;
  /**
   * Data by parameter name. Parameters without data become graph inputs. Names of no parameter in the graph are
   * refused.
   */
  readonly initializers?: Readonly<Record<string, TypedArray>>;
  /** Operator sets it may use beside the standard one; none unless given, so that no graph comes to need one unnoticed. */
  readonly domains?: readonly Domain[];
}

/** A model with the data of what is frozen in it. */
export type ModelWithData = Model & Required<Pick<Model, "initializers">>;

/** Serialises a model as opset 20. Throws ExportError naming what cannot be written. */
export function toOnnx({ outputs, initializers = {}, domains = [] }: Model): Uint8Array {
  const roots = Object.values(outputs);
  const leaves = collectLeaves(roots);
  const weights = splitParameters(leaves.parameters, initializers);
  const constants = writeConstants(leaves.constants);
  const names = new Map<Node, string>(constants.names);
  for (const leaf of [...leaves.inputs, ...leaves.parameters]) names.set(leaf, leaf.name!);
  const graph = {
    name: "graph",
    node: writeNodes(outputs, names, "", domains),
    initializer: [...weights.stored, ...constants.tensors],
    input: [...leaves.inputs, ...weights.fed].map((leaf) => valueInfo(leaf.name!, leaf.type)),
    output: Object.entries(outputs).map(([name, node]) => valueInfo(name, node.type)),
  };
  return encodeModel(graph, domains);
}

export interface Leaves {
  readonly inputs: readonly Node[];
  readonly parameters: readonly Node[];
  readonly constants: readonly Node[];
}

/** The leaves under some roots, in graph order. Throws ExportError where two of them have one name. */
export function collectLeaves(roots: readonly Node[]): Leaves {
  const leaves = topologicalOrder(roots).filter((node) => node.inputs.length === 0);
  const owners = new Map<string, Node>();
  for (const leaf of leaves) {
    if (leaf.name === undefined) continue;
    if (owners.has(leaf.name))
      throw new ExportError(`two leaves have one name: ${describe(leaf)} and ${describe(owners.get(leaf.name)!)}`);
    owners.set(leaf.name, leaf);
  }
  const of = (op: string) => leaves.filter((leaf) => leaf.op === op);
  return { inputs: of("Input"), parameters: of("Parameter"), constants: of("Constant") };
}

/** Parameters whose data is given, as initializers, and the rest, which must be fed. */
export function splitParameters(
  parameters: readonly Node[],
  initializers: Readonly<Record<string, TypedArray>>,
): { stored: TensorProto[]; fed: Node[] } {
  const known = new Set(parameters.map((node) => node.name));
  const stray = Object.keys(initializers).find((name) => !known.has(name));
  if (stray !== undefined) throw new ExportError(`initializer "${stray}" belongs to no parameter of the graph`);
  const hasData = (node: Node) => Object.hasOwn(initializers, node.name!);
  return {
    stored: parameters.filter(hasData).map((node) => tensorProto(node.name!, node, initializers[node.name!]!)),
    fed: parameters.filter((node) => !hasData(node)),
  };
}

/** Constants as initializers, equal ones once. */
export function writeConstants(constants: readonly Node[]): { names: Map<Node, string>; tensors: TensorProto[] } {
  const names = new Map<Node, string>();
  const tensors = new Map<string, TensorProto>();
  for (const node of constants) {
    const proto = tensorProto(`Constant_${tensors.size}`, node, node.data!);
    const key = `${proto.dataType}[${proto.dims}]${Buffer.from(proto.rawData).toString("latin1")}`;
    if (!tensors.has(key)) tensors.set(key, proto);
    names.set(node, tensors.get(key)!.name);
  }
  return { names, tensors: [...tensors.values()] };
}

function tensorProto(name: string, node: Node, data: TypedArray): TensorProto {
  const { shape, dataType } = node.type;
  if (data.length !== elementCount(shape) || !(data instanceof dataTypes[dataType].array)) {
    throw new ExportError(`${describe(node)} cannot hold ${data.constructor.name} of ${data.length} elements`);
  }
  // raw_data is little-endian, as is every platform ONNX Runtime ships for.
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape as readonly number[], dataType: dataTypes[dataType].onnx, rawData };
}

export function valueInfo(name: string, { shape, dataType }: TensorType): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: dataTypes[dataType].onnx, shape: { dim } } } };
}
