/** Products with weights of four bits, rounded block by block, which ONNX Runtime unpacks as it multiplies. */
import { defineOp } from "../defineOp.ts";
import type { Node } from "../graph.ts";

/** In the runtime's names: K inputs, N outputs. */
type NBits = {
  readonly K: number;
  readonly N: number;
  readonly bits: number;
  readonly block_size: number;
  readonly accuracy_level: number;
};

export const blockQuantized = {
  // https://github.com/microsoft/onnxruntime/blob/v1.23.0/docs/ContribOperators.md#com.microsoft.MatMulNBits
  MatMulNBits: defineOp<4, NBits>("MatMulNBits", {
    domain: "com.microsoft",
    attributes: { K: "int", N: "int", bits: "int", block_size: "int", accuracy_level: "int" },
    infer: ([x, values, scales, zeroPoints], { K, N }, fail) => {
      if (x.dataType !== "float32" || scales.dataType !== "float32") throw fail("takes float32 and scales of float32");
      if (values.dataType !== "uint8" || zeroPoints.dataType !== "uint8") throw fail("takes bits packed into uint8");
      if (x.shape.at(-1) !== K || values.shape[0] !== N) throw fail("inner dimensions differ");
      return { shape: [...x.shape.slice(0, -1), N], dataType: "float32" };
    },
    gradient: "none",
  }),
};

/** A matrix of N columns, each cut into blocks of its K rows. */
export interface BlockMatrix {
  /** uint8 [N, blocks, blockSize / 2]: two values to a byte, the earlier one low. */
  readonly values: Node;
  /** float32 [N, blocks]. */
  readonly scales: Node;
  /** uint8 [N, blocks / 2, rounded up]: two to a byte. */
  readonly zeroPoints: Node;
}

/** About x W, float32, where an element of W is scale (value - zero point) of its block. x [..., K] is rounded to int8 by blocks too. */
export function blockProduct(x: Node, { values, scales, zeroPoints }: BlockMatrix): Node {
  const [columns, , bytes] = values.type.shape as readonly [number, number, number];
  const form = { K: x.type.shape.at(-1) as number, N: columns, bits: 4, block_size: 2 * bytes, accuracy_level: 4 };
  return blockQuantized.MatMulNBits([x, values, scales, zeroPoints], form);
}
