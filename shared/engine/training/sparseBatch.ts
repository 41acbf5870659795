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

/** For tables of up to `features` rows. What it returns is overwritten by the next call. */
export function createBatcher(features: number): Batcher {
  const columns = new Int32Array(features).fill(-1);
  const scratch = createScratch();
  return (rows) => {
    const touched = new Uint32Array(rows.reduce((sum, { indices }) => sum + indices.length, 0));
    let width = 0;
    for (const { indices } of rows) {
      for (const index of indices) {
        if (columns[index]! >= 0) continue;
        columns[index] = width;
        touched[width++] = index;
      }
    }
    // A matrix without columns is no matrix to every runtime; a column of zeros adds nothing.
    const shape = [rows.length, Math.max(width, 1)];
    const data = scratch(rows.length * Math.max(width, 1)).fill(0);
    for (let row = 0; row < rows.length; row++) {
      const { indices, values } = rows[row]!;
      for (let i = 0; i < indices.length; i++) data[row * width + columns[indices[i]!]!] = values[i]!;
    }
    for (let i = 0; i < width; i++) columns[touched[i]!] = -1;
    return { touched: width ? touched.subarray(0, width) : new Uint32Array(1), x: { shape, data } };
  };
}

/** Memory that grows as needed and is handed out again and again: fresh megabytes each step would cost more than the step. */
function createScratch(): (length: number) => Float32Array {
  let memory = new Float32Array(1024);
  return (length) => {
    if (length > memory.length) memory = new Float32Array(Math.max(length, memory.length * 2));
    return memory.subarray(0, length);
  };
}

/**
 * A table [rows, width] in host memory, of which a step reads and writes a few rows. What belongs to one row lies side by
 * side: a step is bound by cache misses, and pays one for a row, however wide.
 */
export class RowTable {
  readonly rows: number;
  readonly width: number;
  readonly #data: Float32Array;
  readonly #scratch = createScratch();

  /** All zeros unless given, row-major. */
  constructor(rows: number, width: number, data: Float32Array = new Float32Array(rows * width)) {
    this.rows = rows;
    this.width = width;
    this.#data = data;
  }

  /** The rows at `positions`, float32 [positions, width]; overwritten by the next call. */
  gather(positions: Uint32Array): Tensor {
    const { width } = this;
    const data = this.#scratch(positions.length * width);
    for (let i = 0; i < positions.length; i++) copyRun(this.#data, positions[i]! * width, data, i * width, width);
    return { shape: [positions.length, width], data };
  }

  /** Writes rows back, in the shape `gather` gives them. */
  scatter(positions: Uint32Array, rows: Tensor): void {
    const { width } = this;
    const source = rows.data as Float32Array;
    for (let i = 0; i < positions.length; i++) copyRun(source, i * width, this.#data, positions[i]! * width, width);
  }

  /** The first `columns` columns of the rows at `positions` (default: all), as a copy. */
  read(columns: number, positions: Iterable<number> = new Array(this.rows).keys()): Tensor {
    const chosen = Uint32Array.from(positions);
    const data = new Float32Array(chosen.length * columns);
    for (const [i, position] of chosen.entries()) {
      copyRun(this.#data, position * this.width, data, i * columns, columns);
    }
    return { shape: [chosen.length, columns], data };
  }

  /** The whole table itself, not a copy. */
  get tensor(): Tensor {
    return { shape: [this.rows, this.width], data: this.#data };
  }

  /** Sets the whole table. */
  write({ data }: Tensor): void {
    this.#data.set(data as Float32Array);
  }
}

/** Below this, looking a view up costs more than the elements it would copy. */
const shortRun = 24;

function copyRun(source: Float32Array, from: number, target: Float32Array, to: number, length: number): void {
  if (length >= shortRun) target.set(source.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) target[to + i] = source[from + i]!;
}
