/** Reads an ONNX model back into a graph, by the wire format of protocol buffers: what export must be the inverse of. */

import { dataTypes } from "../../../shared/engine/dataTypes.ts";
import type { Attributes, AttributeValue } from "../../../shared/engine/graph.ts";
import {
  type DataType,
  type Model,
  type Node,
  type OpType,
  ops,
  type TensorType,
  type TypedArray,
} from "../../../shared/engine/index.ts";

/** By field number, the values in their order: bytes, or numbers. */
class Message {
  readonly #fields = new Map<number, (Uint8Array | bigint)[]>();

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    const varint = () => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++]!;
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return BigInt.asIntN(64, value);
      }
    };
    const readers: Record<number, () => Uint8Array | bigint> = {
      0: varint,
      2: () => {
        const length = Number(varint());
        at += length;
        return bytes.subarray(at - length, at);
      },
      5: () => {
        at += 4;
        return BigInt(view.getUint32(at - 4, true));
      },
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const value = readers[tag & 7]!();
      this.#fields.set(tag >> 3, [...(this.#fields.get(tag >> 3) ?? []), value]);
    }
  }

  messages(field: number): Message[] {
    return this.bytes(field).map((bytes) => new Message(bytes));
  }

  bytes(field: number): Uint8Array[] {
    return (this.#fields.get(field) ?? []) as Uint8Array[];
  }

  strings(field: number): string[] {
    return this.bytes(field).map((bytes) => Buffer.from(bytes).toString());
  }

  /** Numbers written one by one, or packed. */
  numbers(field: number): number[] {
    return (this.#fields.get(field) ?? []).flatMap((value) =>
      typeof value === "bigint" ? [Number(value)] : unpacked(value),
    );
  }
}

function unpacked(bytes: Uint8Array): number[] {
  // As the field of a message made for the purpose, each with its own tag.
  const values: number[] = [];
  let start = 0;
  for (const [i, byte] of bytes.entries()) {
    if (byte >= 128) continue;
    values.push(new Message(Uint8Array.of(8, ...bytes.subarray(start, i + 1))).numbers(1)[0]!);
    start = i + 1;
  }
  return values;
}

const codes = new Map(Object.entries(dataTypes).map(([name, { onnx }]) => [onnx as number, name as DataType]));

/** The graph of a model; `isParameter` tells parameters from inputs, which look alike in ONNX. */
export function readOnnx(model: Uint8Array, isParameter: (name: string) => boolean): Model {
  const [graph] = new Message(model).messages(7);
  const values = new Map<string, Node>();
  const initializers: Record<string, TypedArray> = {};
  for (const tensor of graph!.messages(5)) {
    const { node, data } = readTensor(tensor, isParameter);
    values.set(tensor.strings(8)[0]!, node);
    if (node.name !== undefined) initializers[node.name] = data;
  }
  for (const info of graph!.messages(11)) {
    const leaf = readInput(info, isParameter);
    values.set(leaf.name!, leaf);
  }
  const types = new Map(graph!.messages(12).map((info) => [info.strings(1)[0]!, readType(info)]));
  for (const proto of graph!.messages(1)) readNode(proto, values, types);
  const outputs = graph!.messages(12).map((info) => [info.strings(1)[0]!, values.get(info.strings(1)[0]!)!] as const);
  return { outputs: Object.fromEntries(outputs), initializers };
}

function readTensor(tensor: Message, isParameter: (name: string) => boolean): { node: Node; data: TypedArray } {
  const dataType = codes.get(tensor.numbers(2)[0]!)!;
  const [name, shape] = [tensor.strings(8)[0]!, tensor.numbers(1)];
  const data = new dataTypes[dataType].array(Uint8Array.from(tensor.bytes(9)[0] ?? []).buffer);
  const leaf = { inputs: [], attributes: {}, type: { shape, dataType } };
  return { data, node: isParameter(name) ? { ...leaf, op: "Parameter", name } : { ...leaf, op: "Constant", data } };
}

function readInput(info: Message, isParameter: (name: string) => boolean): Node {
  const name = info.strings(1)[0]!;
  return { op: isParameter(name) ? "Parameter" : "Input", inputs: [], attributes: {}, type: readType(info), name };
}

function readType(info: Message): TensorType {
  const [tensor] = info.messages(2)[0]!.messages(1);
  const dims = tensor!.messages(2).flatMap((shape) => shape.messages(1));
  const shape = dims.map((dim) => dim.strings(2)[0] ?? dim.numbers(1)[0]!);
  return { shape, dataType: codes.get(tensor!.numbers(1)[0]!)! };
}

// Export writes the types of results only; those of inner values do not matter.
const inner: TensorType = { shape: [], dataType: "float32" };

function readNode(proto: Message, values: Map<string, Node>, types: ReadonlyMap<string, TensorType>): void {
  const op = proto.strings(4)[0]!;
  const inputs = proto.strings(1).map((name) => values.get(name)!);
  const [first, ...further] = proto.strings(2);
  // A copy under another name.
  if (op === "Identity") return void values.set(first!, inputs[0]!);
  const attributes = readAttributes(op as OpType, proto.messages(5));
  const node = { op, inputs, attributes, type: types.get(first!) ?? inner };
  values.set(first!, node);
  for (const [i, name] of further.entries()) {
    const type = types.get(name) ?? inner;
    if (name !== "") values.set(name, { op: "Result", inputs: [node], attributes: { index: i + 1 }, type });
  }
}

function readAttributes(op: OpType, protos: readonly Message[]): Attributes {
  const kinds = (ops[op].attributes ?? {}) as Record<string, string>;
  const readers: Record<string, (attribute: Message) => AttributeValue> = {
    int: (attribute) => attribute.numbers(3)[0] ?? 0,
    ints: (attribute) => attribute.numbers(8),
    float: (attribute) => new Float32Array(Uint32Array.of(attribute.numbers(2)[0] ?? 0).buffer)[0]!,
    string: (attribute) => attribute.strings(4)[0] ?? "",
    dataType: (attribute) => codes.get(attribute.numbers(3)[0]!)!,
  };
  return Object.fromEntries(
    protos.map((attribute) => {
      const name = attribute.strings(1)[0]!;
      return [name, readers[kinds[name]!]!(attribute)];
    }),
  );
}
