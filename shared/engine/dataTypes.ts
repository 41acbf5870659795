/**
 * The element types a tensor may have: their ONNX code (onnx.proto, TensorProto.DataType) and the typed array that
 * holds them.
 */
export const dataTypes = {
  float32: { onnx: 1, array: Float32Array },
  uint8: { onnx: 2, array: Uint8Array },
  int8: { onnx: 3, array: Int8Array },
  int32: { onnx: 6, array: Int32Array },
  int64: { onnx: 7, array: BigInt64Array },
  bool: { onnx: 9, array: Uint8Array },
  // Half precision travels as raw bits: ONNX Runtime and safetensors agree on them, arithmetic happens in float32.
  float16: { onnx: 10, array: Uint16Array },
  float64: { onnx: 11, array: Float64Array },
  uint32: { onnx: 12, array: Uint32Array },
  // Raw bits as well; read from checkpoints and widened.
  bfloat16: { onnx: 16, array: Uint16Array },
} as const;

export type DataType = keyof typeof dataTypes;
export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array;

/** A value on this side of the runtime: row-major elements and the dimensions they fill. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/**
 * A data type chosen by the class of a typed array; bool and bfloat16 share a class with others (uint8, float16) and
 * must be asked for by name.
 */
export function dataTypeOf(data: TypedArray): DataType {
  const found = (Object.keys(dataTypes) as DataType[]).find((name) => data instanceof dataTypes[name].array);
  if (!found) throw new TypeError(`no tensor data type is held by ${Object.prototype.toString.call(data)}`);
  return found;
}

export function isFloat(dataType: DataType): boolean {
  return dataType.includes("float");
}

/** A tensor of zeros, such as optimizer state at step 0. */
export function zerosTensor(shape: readonly number[], dataType: DataType = "float32"): Tensor {
  return { shape, data: new dataTypes[dataType].array(shape.reduce((size, dim) => size * dim, 1)) };
}
