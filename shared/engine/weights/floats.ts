/** Weights of any floating-point type as float32, the type this engine computes in. */
import type { DataType, Tensor, TypedArray } from "../dataTypes.ts";
import { CheckpointError } from "./checkpointConfig.ts";

const widen: Partial<Record<DataType, (data: TypedArray) => Float32Array>> = {
  float32: (data) => data as Float32Array,
  float64: (data) => Float32Array.from(data as Float64Array),
  float16: ({ buffer, byteOffset, length }) =>
    Float32Array.from(new Float16Array(buffer as ArrayBuffer, byteOffset, length)),
  // A bfloat16 is the upper half of a float32.
  bfloat16: (data) => new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer),
};

/**
 * The tensor in float32, exactly, save that float64 is rounded. Throws CheckpointError naming a tensor of another kind.
 */
export function toFloat32(name: string, { shape, data, dataType }: Tensor & { readonly dataType: DataType }): Tensor {
  const converted = widen[dataType]?.(data);
  if (!converted) throw new CheckpointError(`tensor "${name}" holds ${dataType}, not floating-point numbers`);
  return { shape, data: converted };
}
