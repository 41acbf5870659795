/**
 * What an ONNX file of a stranger's making is made of, checked before native code sees it: lengths, nesting, counts, tensors
 * against their bytes, operator sets, data kept elsewhere. Weights are measured and never copied.
 */
import { checkSparse, checkTensor, type SparseTensor, type Tensor, tensorFields } from "./onnxTensors.ts";
import { type FieldTable, OnnxFileError, WireReader } from "./onnxWire.ts";

export { OnnxFileError } from "./onnxWire.ts";

// Field numbers of onnx/onnx, onnx.proto. Fields that are not listed are skipped, within their bounds.
const tables: Record<string, FieldTable> = {
  Model: {
    irVersion: [1, "int"],
    graph: [7, "Graph"],
    opsets: [8, "Opset", "repeated"],
    training: [20, "Training", "repeated"],
    functions: [25, "Function", "repeated"],
  },
  Opset: { domain: [1, "text"], version: [2, "int"] },
  Training: { initialization: [1, "Graph"], algorithm: [2, "Graph"] },
  Function: {
    name: [1, "text"],
    inputs: [4, "text", "repeated"],
    outputs: [5, "text", "repeated"],
    nodes: [7, "Node", "repeated"],
    opsets: [9, "Opset", "repeated"],
    domain: [10, "text"],
    defaults: [11, "Attribute", "repeated"],
    overload: [13, "text"],
  },
  Graph: {
    nodes: [1, "Node", "repeated"],
    name: [2, "text"],
    tensors: [5, "Tensor", "repeated"],
    inputs: [11, "Value", "repeated"],
    outputs: [12, "Value", "repeated"],
    values: [13, "Value", "repeated"],
    sparse: [15, "Sparse", "repeated"],
  },
  Node: {
    inputs: [1, "text", "repeated"],
    outputs: [2, "text", "repeated"],
    name: [3, "text"],
    op: [4, "text"],
    attributes: [5, "Attribute", "repeated"],
    domain: [7, "text"],
    overload: [8, "text"],
  },
  Attribute: {
    name: [1, "text"],
    f: [2, "float"],
    i: [3, "int"],
    s: [4, "bytes"],
    tensor: [5, "Tensor"],
    graph: [6, "Graph"],
    floats: [7, "floats"],
    ints: [8, "varints"],
    strings: [9, "bytes", "repeated"],
    tensors: [10, "Tensor", "repeated"],
    graphs: [11, "Graph", "repeated"],
    type: [14, "Type"],
    types: [15, "Type", "repeated"],
    sparseTensor: [22, "Sparse"],
    sparse: [23, "Sparse", "repeated"],
  },
  Value: { name: [1, "text"], type: [2, "Type"] },
  Type: {
    tensor: [1, "TensorType"],
    sequence: [4, "Element"],
    map: [5, "MapType"],
    sparse: [8, "TensorType"],
    optional: [9, "Element"],
  },
  Element: { type: [1, "Type"] },
  MapType: { key: [1, "int"], value: [2, "Type"] },
  TensorType: { element: [1, "int"], shape: [2, "Shape"] },
  Shape: { dims: [1, "Dimension", "repeated"] },
  Dimension: { value: [1, "int"], name: [2, "text"] },
  ...tensorFields,
};

interface Graph {
  nodes: Node[];
  tensors: Tensor[];
  sparse: SparseTensor[];
}
interface Attribute {
  tensor?: Tensor;
  tensors: Tensor[];
  graph?: Graph;
  graphs: Graph[];
  sparseTensor?: SparseTensor;
  sparse: SparseTensor[];
}
interface Node {
  op?: string;
  domain?: string;
  attributes: Attribute[];
}
interface Opset {
  domain?: string;
  version?: number;
}
interface OwnFunction {
  name?: string;
  domain?: string;
  nodes: Node[];
  defaults: Attribute[];
  opsets: Opset[];
}
interface Model {
  irVersion?: number;
  graph?: Graph;
  opsets: Opset[];
  training: { initialization?: Graph; algorithm?: Graph }[];
  functions: OwnFunction[];
}

export interface OnnxContents {
  /** Operator sets by domain; "" is the standard one. */
  readonly opsets: Readonly<Record<string, number>>;
  /** Operators that are neither standard nor defined in the file itself, such as `ai.onnx.ml.Scaler`. */
  readonly foreignOps: readonly { readonly domain: string; readonly op: string }[];
  /** Names of tensors whose data lies in other files, wherever those may be. */
  readonly external: readonly string[];
}

const standard = new Set(["", "ai.onnx"]);
/** What the runtime was built for (onnxruntime-node 1.30.0); newer operators it would have to guess at. */
const newestOpset = 26;
const newestIr = 13;
/** With functions written out in the place of their calls, as the runtime does. */
const mostNodes = 500_000;

/** Throws OnnxFileError naming the field, tensor or operator at fault. */
export function readOnnxFile(bytes: Uint8Array): OnnxContents {
  const model = new WireReader(bytes, tables).read("Model") as unknown as Model;
  const { graph, functions, training } = model;
  if (!graph || model.opsets.length === 0) throw new OnnxFileError("it holds no graph");
  const opsets = checkVersions(model);
  const trained = training.flatMap(({ initialization, algorithm }) => [initialization, algorithm]).filter((it) => !!it);
  const parts = [graph, ...trained, ...functions.map(asGraph)].flatMap((root) => [...graphsIn(root)]);
  const external: string[] = [];
  for (const part of parts) external.push(...checkTensors(part));
  const own = new Set(functions.map(idOf));
  const foreign = new Map<string, { domain: string; op: string }>();
  for (const { nodes } of parts) {
    for (const { domain = "", op = "" } of nodes) {
      if (!standard.has(domain) && !own.has(`${domain} ${op}`)) foreign.set(`${domain} ${op}`, { domain, op });
    }
  }
  checkCalls(graph, functions);
  return { opsets, foreignOps: [...foreign.values()], external };
}

function checkVersions({ irVersion = 0, opsets, functions }: Model): Record<string, number> {
  if (irVersion < 1 || irVersion > newestIr) {
    throw new OnnxFileError(`its ir_version is ${irVersion}; known: 1 to ${newestIr}`);
  }
  const versions = new Map<string, number>();
  for (const { domain = "", version = 0 } of opsets) {
    if (versions.has(domain)) throw new OnnxFileError(`it says twice which operators of "${domain}" it uses`);
    versions.set(domain, version);
  }
  for (const { domain = "", version = 0 } of [...opsets, ...functions.flatMap((each) => each.opsets)]) {
    const most = standard.has(domain) ? newestOpset : 2 ** 31 - 1;
    if (version >= 1 && version <= most) continue;
    throw new OnnxFileError(`its operator set "${domain}" has version ${version}; known: 1 to ${most}`);
  }
  return Object.fromEntries(versions);
}

const idOf = ({ domain = "", name = "" }: OwnFunction) => `${domain} ${name}`;
const asGraph = ({ nodes, defaults }: OwnFunction): Graph => {
  return { nodes: [...nodes, { op: "", attributes: defaults }], tensors: [], sparse: [] };
};
const graphsOf = ({ graph, graphs }: Attribute) => (graph ? [graph, ...graphs] : graphs);

/** It and those of branches and loops. The reader has bounded how deep they lie. */
function* graphsIn(graph: Graph): Generator<Graph> {
  yield graph;
  for (const { attributes } of graph.nodes) {
    for (const inner of attributes.flatMap(graphsOf)) yield* graphsIn(inner);
  }
}

/** Returns the names of those that lie elsewhere. */
function checkTensors({ tensors, sparse, nodes }: Graph): string[] {
  const external = tensors.filter(checkTensor);
  for (const each of sparse) external.push(...checkSparse(each));
  for (const attribute of nodes.flatMap(({ attributes }) => attributes)) {
    const { tensor, sparseTensor } = attribute;
    external.push(...(tensor ? [tensor, ...attribute.tensors] : attribute.tensors).filter(checkTensor));
    for (const each of sparseTensor ? [sparseTensor, ...attribute.sparse] : attribute.sparse) {
      external.push(...checkSparse(each));
    }
  }
  return external.map(({ name = "" }) => name);
}

/** Throws where functions call each other in a circle, or so often that the graph would grow without measure. */
function checkCalls(graph: Graph, functions: readonly OwnFunction[]): void {
  const bodies = new Map(functions.map((each) => [idOf(each), asGraph(each)]));
  const sizes = new Map<string, number>();
  const sizeOf = (root: Graph, callers: ReadonlySet<string>): number => {
    let size = 0;
    for (const { domain = "", op = "" } of [...graphsIn(root)].flatMap(({ nodes }) => nodes)) {
      const id = `${domain} ${op}`;
      size += 1 + (bodies.has(id) ? called(id, callers) : 0);
      if (size > mostNodes) throw new OnnxFileError(`it has more than ${mostNodes} nodes`);
    }
    return size;
  };
  const called = (id: string, callers: ReadonlySet<string>): number => {
    if (callers.has(id)) throw new OnnxFileError(`its function ${id.trim()} calls itself`);
    if (callers.size >= 100) throw new OnnxFileError("its functions call each other more than 100 deep");
    if (!sizes.has(id)) sizes.set(id, sizeOf(bodies.get(id)!, new Set([...callers, id])));
    return sizes.get(id)!;
  };
  sizeOf(graph, new Set());
}
