/** The header of a safetensors file, checked before any element is touched. */
import { type DataType, dataTypes } from "../dataTypes.ts";
import { isNestedDeeper } from "../jsonDepth.ts";
import { shortened } from "../shortened.ts";

/** The file is not valid safetensors, or holds a data type this engine has not; the message says where. */
export class SafetensorsError extends Error {
  override name = "SafetensorsError";

  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message), options);
  }
}

/** Names of data types in a header. */
export const dataTypeNames: Readonly<Record<string, DataType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  U32: "uint32",
  U8: "uint8",
  I8: "int8",
  BOOL: "bool",
};
export interface TensorEntry {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Bytes, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly dataStart: number;
}

// The reference implementation's limit.
const maxHeaderSize = 100_000_000;

/** Throws SafetensorsError naming the fault, and the tensor where there is one. */
export function parseHeader(bytes: Uint8Array): Header {
  if (bytes.length < 8) throw new SafetensorsError(`the file has ${bytes.length} bytes, too few for a header length`);
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const dataStart = 8 + size;
  if (size > maxHeaderSize || dataStart > bytes.length) {
    throw new SafetensorsError(`the header is said to have ${size} bytes, in a file of ${bytes.length}`);
  }
  const header = parseJson(bytes.subarray(8, dataStart));
  const { __metadata__: metadata = {}, ...tensors } = header;
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(name, value));
  requireContiguous(entries, bytes.length - dataStart);
  return { entries, metadata: parseMetadata(metadata), dataStart };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A header is an object of objects of lists. */
const deepest = 3;
const mostDims = 64;

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  if (isNestedDeeper(bytes, deepest)) throw new SafetensorsError(`the header is nested more than ${deepest} deep`);
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new SafetensorsError("the header is not JSON", { cause });
  }
  throw new SafetensorsError("the header is not a JSON object");
}

function parseMetadata(value: unknown): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string"))
    return value as Record<string, string>;
  throw new SafetensorsError("__metadata__ is not a map of strings");
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseEntry(name: string, value: unknown): TensorEntry {
  if (!isObject(value)) throw new SafetensorsError(`tensor "${name}" has no description`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(dataTypeNames, dtype)) {
    throw new SafetensorsError(`tensor "${name}" has data type ${JSON.stringify(dtype)}, which is not supported`);
  }
  if (!Array.isArray(shape) || shape.length > mostDims || !shape.every(isSize))
    throw new SafetensorsError(`tensor "${name}" has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw new SafetensorsError(`tensor "${name}" has no valid data_offsets`);
  }
  const dataType = dataTypeNames[dtype]!;
  const [begin, end] = offsets as [number, number];
  const needed = shape.reduce((size, dim) => size * dim, dataTypes[dataType].array.BYTES_PER_ELEMENT);
  if (end - begin !== needed)
    throw new SafetensorsError(`tensor "${name}" needs ${needed} bytes and has ${end - begin}`);
  return { name, dataType, shape, begin, end };
}

// The format allows neither holes nor overlaps, so that a file can hide nothing and no two tensors share memory.
function requireContiguous(entries: readonly TensorEntry[], dataSize: number): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw new SafetensorsError(`tensor "${name}" begins at byte ${begin}, not ${at}`);
    at = end;
  }
  if (at !== dataSize) throw new SafetensorsError(`the tensors take ${at} bytes, and the file holds ${dataSize}`);
}
