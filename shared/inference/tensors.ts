/** Between the protocol's tensors, checked against what a model declares, and the engine's. */
import { dataTypes, type Tensor, type TypedArray } from "../engine/dataTypes.ts";
import { elementCount } from "../engine/shape.ts";
import { ApiError } from "../errors.ts";
import type { InferInput, InferResponse } from "../schemas/infer.ts";
import { type Datatype, datatypes, type TensorSignature } from "../schemas/tensor.ts";

type Writable = { [index: number]: number | bigint };

/** The tensor of an input, whose fields `param` leads to. Throws ApiError naming the field at fault. */
export function readTensor(input: InferInput, declared: TensorSignature, param: string): Tensor {
  const refuse = (field: string, why: string) =>
    new ApiError("invalid_value", `'${param}.${field}' ${why}.`, { param: `${param}.${field}` });
  const { shape, datatype } = input;
  if (datatype !== declared.datatype) throw refuse("datatype", `is ${datatype}; the model takes ${declared.datatype}`);
  const fits =
    shape.length === declared.shape.length &&
    declared.shape.every((size, axis) => typeof size === "string" || size === -1 || size === shape[axis]);
  if (!fits) throw refuse("shape", `is [${shape}]; the model takes [${declared.shape.join(", ")}]`);
  if ((input.data === undefined) === (input.data_base64 === undefined)) {
    throw refuse("data", "or 'data_base64' must be given, and not both");
  }
  const data =
    input.data === undefined
      ? fromBase64(input, (why) => refuse("data_base64", why))
      : fromElements(input, input.data, (at, why) => refuse(`data${at}`, why));
  return { shape, data };
}

function fromBase64({ shape, datatype, data_base64 }: InferInput, refuse: (why: string) => ApiError): TypedArray {
  const { array } = dataTypes[datatypes[datatype]];
  const bytes = Buffer.from(data_base64!, "base64");
  const expected = elementCount(shape) * array.BYTES_PER_ELEMENT;
  if (bytes.length !== expected) throw refuse(`holds ${bytes.length} bytes; the shape and datatype take ${expected}`);
  // A copy of its own: a view of any other offset could not be aligned.
  return new array(new Uint8Array(bytes).buffer);
}

type Refuse = (at: string, why: string) => ApiError;

function fromElements({ shape, datatype }: InferInput, data: readonly unknown[], refuse: Refuse): TypedArray {
  const count = elementCount(shape);
  const isFlat = !Array.isArray(data[0]) || shape.length < 2;
  const sizes = isFlat ? [count] : shape;
  // Checked before there is room for them: a shape is quickly written.
  if (data.length !== sizes[0]) throw refuse("", `holds ${data.length} elements; the shape takes ${sizes[0]}`);
  const values: unknown[] = [];
  collect(data, sizes, "", values, refuse);
  const { array, read } = formats[datatype];
  const result = new array(count);
  for (const [i, value] of values.entries()) {
    const element = read(value);
    if (element === undefined) throw refuse(isFlat ? `[${i}]` : "", `has an element that is no ${datatype}`);
    (result as Writable)[i] = element;
  }
  return result instanceof Float16Array ? new Uint16Array(result.buffer) : result;
}

function collect(
  data: unknown,
  [size, ...inner]: readonly number[],
  at: string,
  into: unknown[],
  refuse: Refuse,
): void {
  if (!Array.isArray(data) || data.length !== size) throw refuse(at, `must be a list of ${size}, as the shape says`);
  for (const [i, item] of data.entries()) {
    if (inner.length === 0) into.push(item);
    else collect(item, inner, `${at}[${i}]`, into, refuse);
  }
}

interface Format {
  /** Of another class than the engine's only for FP16, whose bits the engine takes. */
  array: new (
    size: number,
  ) => TypedArray | Float16Array;
  /** Undefined for a JSON value that is no element of the type. */
  read(value: unknown): number | bigint | undefined;
}

const numbers = (low: number, high: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high ? (value as number) : undefined;
const real = (value: unknown) => (Number.isFinite(value) ? (value as number) : undefined);

const formats: Record<Datatype, Format> = {
  BOOL: { array: Uint8Array, read: (value) => (typeof value === "boolean" ? Number(value) : undefined) },
  UINT8: { array: Uint8Array, read: numbers(0, 255) },
  UINT32: { array: Uint32Array, read: numbers(0, 2 ** 32 - 1) },
  INT8: { array: Int8Array, read: numbers(-128, 127) },
  INT32: { array: Int32Array, read: numbers(-(2 ** 31), 2 ** 31 - 1) },
  // Larger ones have lost their last digits when JSON was read.
  INT64: { array: BigInt64Array, read: (value) => (Number.isSafeInteger(value) ? BigInt(value as number) : undefined) },
  FP16: { array: Float16Array, read: real },
  FP32: { array: Float32Array, read: real },
  FP64: { array: Float64Array, read: real },
};

/** An output as the protocol writes it. */
export function writeTensor({ name, datatype }: TensorSignature, tensor: Tensor): InferResponse["outputs"][number] {
  return { name, shape: [...tensor.shape], datatype, data: elementsOf(tensor.data, datatype) };
}

function elementsOf(data: TypedArray, datatype: Datatype): unknown[] {
  if (datatype === "BOOL") return Array.from(data, Boolean);
  if (datatype === "INT64") {
    return Array.from(data as BigInt64Array, (value) =>
      Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
    );
  }
  const half = datatype === "FP16" && data instanceof Uint16Array;
  const values = half ? new Float16Array(data.buffer, data.byteOffset, data.length) : data;
  return Array.from(values as Float32Array, (value) => (Number.isFinite(value) ? value : null));
}
