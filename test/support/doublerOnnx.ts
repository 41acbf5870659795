/** A small ONNX model with two inputs and two outputs, for whoever imports or calls one. */
import { add, constant, input, mul, toOnnx } from "../../shared/engine/index.ts";

/** x FP32 [batch, 2] and count INT64 [3] to twice = 2 x and next = count + 1. */
export function doublerOnnx(): Uint8Array {
  const x = input("x", ["batch", 2]);
  const count = input("count", [3], "int64");
  return toOnnx({ outputs: { twice: mul(x, 2), next: add(count, constant(1, "int64")) } });
}
