/** Whole columns of rows in memory, and the rows of them that a step is fed. */
import type { Tensor, TypedArray } from "../dataTypes.ts";
import type { Tensors } from "./fitGraph.ts";

/** The given rows of each tensor, in the order given: [all rows, ...] to [rows, ...]. */
export function takeRows(columns: Tensors, rows: Int32Array): Tensors {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, take(column, rows)]));
}

function take({ shape, data }: Tensor, rows: Int32Array): Tensor {
  const beyond = shape.slice(1);
  const width = beyond.reduce((size, dim) => size * dim, 1);
  const taken = new (data.constructor as new (length: number) => TypedArray)(rows.length * width);
  for (const [i, row] of rows.entries()) {
    taken.set(data.subarray(row * width, (row + 1) * width) as never, i * width);
  }
  return { shape: [rows.length, ...beyond], data: taken };
}
