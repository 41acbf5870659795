/** Sparse rows of several texts as one dense matrix over the features they hold together. */
import type { Tensor } from "../dataTypes.ts";
import type { SparseRow } from "../text/vocabulary.ts";

export interface SparseBatch {
  /** Positions in the table of the features that occur, each once: [rows]. */
  touched: Uint32Array;
  /** float32 [batch, rows] */
  x: Tensor;
}

export type Batcher = (rows: readonly SparseRow[]) => SparseBatch;

/** For tables of up to `features` rows; keeps one mark a feature between calls. */
export function createBatcher(features: number): Batcher {
  const columns = new Int32Array(features).fill(-1);
  return (rows) => {
    const most = rows.reduce((sum, { indices }) => sum + indices.length, 0);
    const touched = new Uint32Array(most);
    let width = 0;
    for (const { indices } of rows) {
      for (const index of indices) {
        if (columns[index]! >= 0) continue;
        columns[index] = width;
        touched[width++] = index;
      }
    }
    // A matrix without columns is no matrix to every runtime; a column of zeros adds nothing.
    const data = new Float32Array(rows.length * Math.max(width, 1));
    for (const [row, { indices, values }] of rows.entries()) {
      for (const [i, index] of indices.entries()) data[row * width + columns[index]!] = values[i]!;
    }
    for (let i = 0; i < width; i++) columns[touched[i]!] = -1;
    const shape = [rows.length, Math.max(width, 1)];
    return { touched: width ? touched.subarray(0, width) : new Uint32Array(1), x: { shape, data } };
  };
}

/** A table [rows, width] in host memory, of which a step reads and writes a few rows. */
export class RowTable {
  readonly data: Float32Array;
  readonly width: number;

  constructor(data: Float32Array, width: number) {
    this.data = data;
    this.width = width;
  }

  gather(positions: Uint32Array): Tensor {
    const { data, width } = this;
    const rows = new Float32Array(positions.length * width);
    for (const [i, position] of positions.entries()) {
      const from = position * width;
      const to = i * width;
      for (let column = 0; column < width; column++) rows[to + column] = data[from + column]!;
    }
    return { shape: [positions.length, width], data: rows };
  }

  scatter(positions: Uint32Array, rows: Tensor): void {
    const { data, width } = this;
    for (const [i, position] of positions.entries()) {
      const to = position * width;
      const from = i * width;
      for (let column = 0; column < width; column++) data[to + column] = rows.data[from + column] as number;
    }
  }
}
