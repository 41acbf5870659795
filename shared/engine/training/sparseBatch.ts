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
 * Tables [rows, width] of equal shape in host memory, of which a step reads and writes a few rows. The rows of one number
 * lie side by side, one table's after the other's: a step is bound by cache misses, and so pays for one place and not for each.
 */
export class RowTables {
  readonly names: readonly string[];
  readonly rows: number;
  readonly width: number;
  readonly #data: Float32Array;
  readonly #scratch: Readonly<Record<string, (length: number) => Float32Array>>;

  /** All zeros. */
  constructor(names: readonly string[], rows: number, width: number) {
    this.names = names;
    this.rows = rows;
    this.width = width;
    this.#data = new Float32Array(names.length * rows * width);
    this.#scratch = Object.fromEntries(names.map((name) => [name, createScratch()]));
  }

  /** The rows at `positions` of every table, each float32 [positions, width]; overwritten by the next call. */
  gather(positions: Uint32Array): Record<string, Tensor> {
    const { names, width } = this;
    const targets = names.map((name) => this.#scratch[name]!(positions.length * width));
    for (let i = 0; i < positions.length; i++) {
      const from = positions[i]! * names.length * width;
      for (let slot = 0; slot < names.length; slot++) {
        copyRun(this.#data, from + slot * width, targets[slot]!, i * width, width);
      }
    }
    const shape = [positions.length, width];
    return Object.fromEntries(names.map((name, slot) => [name, { shape, data: targets[slot]! }]));
  }

  /** Writes rows back, from tensors named and shaped as `gather` returns them. */
  scatter(positions: Uint32Array, tensors: Readonly<Record<string, Tensor>>): void {
    const { names, width } = this;
    const sources = names.map((name) => tensors[name]!.data as Float32Array);
    for (let i = 0; i < positions.length; i++) {
      const to = positions[i]! * names.length * width;
      for (let slot = 0; slot < names.length; slot++) {
        copyRun(sources[slot]!, i * width, this.#data, to + slot * width, width);
      }
    }
  }

  /** The rows at `positions` of one table, as a copy. */
  read(name: string, positions: Iterable<number> = new Array(this.rows).keys()): Tensor {
    const { names, width } = this;
    const chosen = Uint32Array.from(positions);
    const data = new Float32Array(chosen.length * width);
    const slot = names.indexOf(name);
    for (const [i, position] of chosen.entries()) {
      copyRun(this.#data, (position * names.length + slot) * width, data, i * width, width);
    }
    return { shape: [chosen.length, width], data };
  }

  /** Sets a whole table. */
  write(name: string, { data }: Tensor): void {
    const { names, rows, width } = this;
    const slot = names.indexOf(name);
    for (let row = 0; row < rows; row++) {
      copyRun(data as Float32Array, row * width, this.#data, (row * names.length + slot) * width, width);
    }
  }
}

/** Below this, looking a view up costs more than the elements it would copy. */
const shortRun = 24;

function copyRun(source: Float32Array, from: number, target: Float32Array, to: number, length: number): void {
  if (length >= shortRun) target.set(source.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) target[to + i] = source[from + i]!;
}
