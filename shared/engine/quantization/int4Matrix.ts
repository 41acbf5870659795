/** Matrices as blocks of 4-bit values, each block with a scale and a zero point, as MatMulNBits takes them. */
import type { Tensor } from "../dataTypes.ts";
import type { Sides } from "./frozenLeaves.ts";

const most = 15;

/**
 * W of the given sides, or its transpose where `turned`, column by column in blocks of `block` rows: an element is
 * about scale (value - zero point), in 16 steps between the least and the greatest of its block, zero among them. See
 * `BlockMatrix` for shapes.
 */
export function toInt4(
  matrix: Float32Array,
  [rows, columns]: Sides,
  { block, turned }: { readonly block: number; readonly turned: boolean },
): Record<"values" | "scales" | "zeroPoints", Tensor> {
  const [inner, outer] = turned ? [columns, rows] : [rows, columns];
  const blocks = Math.ceil(inner / block);
  const values = new Uint8Array((outer * blocks * block) / 2);
  const scales = new Float32Array(outer * blocks);
  const zeroBytes = Math.ceil(blocks / 2);
  const zeroPoints = new Uint8Array(outer * zeroBytes);
  for (let column = 0; column < outer; column++) {
    for (let b = 0; b < blocks; b++) {
      const at = (i: number) => (turned ? column * inner + i : i * outer + column);
      const [start, end] = [b * block, Math.min(inner, (b + 1) * block)];
      const { scale, zeroPoint } = stepsOf(matrix, start, end, at);
      scales[column * blocks + b] = scale;
      pack(zeroPoints, 2 * column * zeroBytes + b, zeroPoint);
      for (let i = start; i < end; i++) {
        const value = Math.min(most, Math.max(0, Math.round(matrix[at(i)]! / scale) + zeroPoint));
        pack(values, column * blocks * block + i, value);
      }
    }
  }
  return {
    values: { shape: [outer, blocks, block / 2], data: values },
    scales: { shape: [outer, blocks], data: scales },
    zeroPoints: { shape: [outer, zeroBytes], data: zeroPoints },
  };
}

function stepsOf(matrix: Float32Array, start: number, end: number, at: (i: number) => number) {
  let [low, high] = [0, 0];
  for (let i = start; i < end; i++) {
    low = Math.min(low, matrix[at(i)]!);
    high = Math.max(high, matrix[at(i)]!);
  }
  // Where all are zeros any scale will do.
  const scale = Math.fround((high - low) / most) || 1;
  return { scale, zeroPoint: Math.round(-low / scale) };
}

function pack(bytes: Uint8Array, at: number, value: number): void {
  bytes[at >> 1]! |= value << (4 * (at & 1));
}
