/** What an ONNX file is made of, read without its weights: operators by domain, operator sets, data it keeps elsewhere. */
import protobuf from "protobufjs/light.js";

// Field numbers of onnx/onnx, onnx.proto. Fields that are not listed, weights among them, are skipped.
const message = (fields: Record<string, [id: number, type: string, rule?: "repeated"]>) => ({
  fields: Object.fromEntries(Object.entries(fields).map(([name, [id, type, rule]]) => [name, { id, type, rule }])),
});

const root = protobuf.Root.fromJSON({
  nested: {
    Model: message({
      irVersion: [1, "int64"],
      graph: [7, "Graph"],
      opsets: [8, "Opset", "repeated"],
      functions: [25, "Function", "repeated"],
    }),
    Opset: message({ domain: [1, "string"], version: [2, "int64"] }),
    Function: message({ name: [1, "string"], nodes: [7, "Node", "repeated"], domain: [10, "string"] }),
    Graph: message({ nodes: [1, "Node", "repeated"], tensors: [5, "Tensor", "repeated"] }),
    Node: message({ op: [4, "string"], attributes: [5, "Attribute", "repeated"], domain: [7, "string"] }),
    Attribute: message({ tensor: [5, "Tensor"], graph: [6, "Graph"], graphs: [11, "Graph", "repeated"] }),
    Tensor: message({ name: [8, "string"], location: [14, "int32"] }),
  },
});
const model = root.lookupType("Model");

interface Graph {
  nodes: Node[];
  tensors: Tensor[];
}
interface Node {
  op: string;
  domain: string;
  attributes: { tensor?: Tensor; graph?: Graph; graphs: Graph[] }[];
}
interface Tensor {
  name: string;
  location: number;
}
interface Model {
  irVersion: number;
  graph?: Graph;
  opsets: { domain: string; version: number }[];
  functions: { name: string; domain: string; nodes: Node[] }[];
}

/** The file is no ONNX model; the message says why. */
export class OnnxFileError extends Error {
  override name = "OnnxFileError";
}

export interface OnnxContents {
  /** Operator sets by domain; "" is the standard one. */
  readonly opsets: Readonly<Record<string, number>>;
  /** Operators that are neither standard nor defined in the file itself, such as `ai.onnx.ml.Scaler`. */
  readonly foreignOps: readonly { readonly domain: string; readonly op: string }[];
  /** Names of tensors whose data lies in other files. */
  readonly external: readonly string[];
}

const standard = new Set(["", "ai.onnx"]);
const elsewhere = 1;

/** Throws OnnxFileError. */
export function readOnnxFile(bytes: Uint8Array): OnnxContents {
  const { graph, opsets, functions } = decode(bytes);
  if (!graph || opsets.length === 0) throw new OnnxFileError("it holds no graph");
  const own = new Set(functions.map(({ domain, name }) => `${domain} ${name}`));
  const nodes = [...nodesOf(graph.nodes), ...functions.flatMap((each) => [...nodesOf(each.nodes)])];
  const foreign = new Map<string, { domain: string; op: string }>();
  for (const { domain, op } of nodes) {
    if (!standard.has(domain) && !own.has(`${domain} ${op}`)) foreign.set(`${domain} ${op}`, { domain, op });
  }
  const inner = nodes.flatMap(({ attributes }) => attributes);
  const tensors = [graph, ...inner.flatMap(graphsOf)].flatMap((each) => each.tensors);
  const constants = inner.flatMap(({ tensor }) => tensor ?? []);
  return {
    opsets: Object.fromEntries(opsets.map(({ domain, version }) => [domain, version])),
    foreignOps: [...foreign.values()],
    external: [...tensors, ...constants].filter(({ location }) => location === elsewhere).map(({ name }) => name),
  };
}

function decode(bytes: Uint8Array): Model {
  try {
    return model.toObject(model.decode(bytes), { longs: Number, defaults: true, arrays: true }) as Model;
  } catch (cause) {
    throw new OnnxFileError(`it is not in ONNX's format (${(cause as Error).message})`, { cause });
  }
}

const graphsOf = ({ graph, graphs }: Node["attributes"][number]) => (graph ? [graph, ...graphs] : graphs);

/** Those of branches and loops too. */
function* nodesOf(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    yield node;
    for (const graph of node.attributes.flatMap(graphsOf)) yield* nodesOf(graph.nodes);
  }
}
