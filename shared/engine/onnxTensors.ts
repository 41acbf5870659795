/** Tensors of an ONNX file: whether the bytes that are there are those that type and dimensions ask for. */
import { type FieldTable, OnnxFileError } from "./onnxWire.ts";

export interface Tensor {
  name?: string;
  dims?: number[];
  type?: number;
  segment?: object;
  /** Numbers of elements; `raw` of bytes. */
  floats?: number;
  ints32?: number;
  strings: number[];
  ints64?: number;
  raw?: number;
  doubles?: number;
  uints64?: number;
  elsewhere: { key?: string }[];
  location?: number;
}

export interface SparseTensor {
  values?: Tensor;
  indices?: Tensor;
  dims?: number[];
}

export const tensorFields: Record<string, FieldTable> = {
  Tensor: {
    dims: [1, "ints"],
    type: [2, "int"],
    segment: [3, "Segment"],
    floats: [4, "floats"],
    ints32: [5, "varints"],
    strings: [6, "bytes", "repeated"],
    ints64: [7, "varints"],
    name: [8, "text"],
    raw: [9, "bytes"],
    doubles: [10, "doubles"],
    uints64: [11, "varints"],
    elsewhere: [13, "Entry", "repeated"],
    location: [14, "int"],
  },
  Segment: {},
  Entry: { key: [1, "text"] },
  Sparse: { values: [1, "Tensor"], indices: [2, "Tensor"], dims: [3, "ints"] },
};

type Store = "floats" | "ints32" | "strings" | "ints64" | "doubles" | "uints64";

/** By TensorProto.DataType: bits of an element, the field that holds them where `raw` does not, and how many it takes. */
const elements: Readonly<Record<number, readonly [bits: number, store: Store, each?: number]>> = {
  1: [32, "floats"],
  2: [8, "ints32"],
  3: [8, "ints32"],
  4: [16, "ints32"],
  5: [16, "ints32"],
  6: [32, "ints32"],
  7: [64, "ints64"],
  8: [0, "strings"],
  9: [8, "ints32"],
  10: [16, "ints32"],
  11: [64, "doubles"],
  12: [32, "uints64"],
  13: [64, "uints64"],
  14: [64, "floats", 2],
  15: [128, "doubles", 2],
  16: [16, "ints32"],
  17: [8, "ints32"],
  18: [8, "ints32"],
  19: [8, "ints32"],
  20: [8, "ints32"],
  21: [4, "ints32", 1 / 2],
  22: [4, "ints32", 1 / 2],
  23: [4, "ints32", 1 / 2],
  24: [8, "ints32"],
  25: [2, "ints32", 1 / 4],
  26: [2, "ints32", 1 / 4],
};

/** Of one tensor; no file that may be imported holds more, and a sparse one must not ask for more. */
const mostBytes = 2 ** 31;

/** Whether its data lies in another file. Throws OnnxFileError naming the tensor. */
export function checkTensor(tensor: Tensor): boolean {
  const { type = 0, dims = [], location = 0, elsewhere, segment } = tensor;
  const title = `tensor "${tensor.name ?? ""}"`;
  const known = Object.hasOwn(elements, type) ? elements[type] : undefined;
  if (!known) throw new OnnxFileError(`${title} has data type ${type}, which there is not`);
  if (segment) throw new OnnxFileError(`${title} is one segment of several, which is not supported`);
  if (location !== 0 && location !== 1) throw new OnnxFileError(`${title} has data_location ${location}; known: 0, 1`);
  const [bits, store, each = 1] = known;
  const count = countOf(dims, bits, title);
  if (location === 1 || elsewhere.length > 0) return true;
  const { raw, strings, ...rest } = tensor;
  const counts: Record<Store, number> = {
    floats: rest.floats ?? 0,
    ints32: rest.ints32 ?? 0,
    strings: strings.length,
    ints64: rest.ints64 ?? 0,
    doubles: rest.doubles ?? 0,
    uints64: rest.uints64 ?? 0,
  };
  const filled = (Object.keys(counts) as Store[]).filter((name) => counts[name] > 0);
  const stray = filled.find((name) => name !== store);
  if (stray || (raw && filled.length > 0)) throw new OnnxFileError(`${title} holds data of more than one kind`);
  const isRaw = raw !== undefined && filled.length === 0 && bits > 0;
  const [needed, found] = isRaw ? [Math.ceil((count * bits) / 8), raw] : [Math.ceil(count * each), counts[store]];
  if (needed === found) return false;
  const unit = isRaw ? "bytes" : "values";
  throw new OnnxFileError(`${title} [${dims.join(", ")}] needs ${needed} ${unit} and has ${found}`);
}

/** Those of its two tensors that lie elsewhere. */
export function checkSparse({ values, indices, dims = [] }: SparseTensor): Tensor[] {
  if (!values || !indices) throw new OnnxFileError("a sparse tensor has no values or no indices");
  // It is stored dense by whoever loads it.
  countOf(dims, elements[values.type ?? 0]?.[0] ?? 0, `sparse tensor "${values.name ?? ""}"`);
  return [values, indices].filter(checkTensor);
}

function countOf(dims: readonly number[], bits: number, title: string): number {
  const wrong = dims.find((dim) => !Number.isSafeInteger(dim) || dim < 0);
  if (wrong !== undefined) throw new OnnxFileError(`${title} has a dimension of ${wrong}`);
  const count = dims.reduce((size, dim) => size * dim, 1);
  if (!(count * Math.max(bits, 8) <= 8 * mostBytes)) {
    throw new OnnxFileError(`${title} [${dims.join(", ")}] asks for more than ${mostBytes} bytes`);
  }
  return count;
}
