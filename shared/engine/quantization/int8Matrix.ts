/** Matrices as int8 with a scale for each row or column. */

export interface Int8Form {
  /** What has a scale of its own. */
  readonly per: "row" | "column";
  /** Whether the values are stored as the transpose. */
  readonly turned: boolean;
}

export interface Int8Matrix {
  /** Row-major; times the scale of its row or column, an element of about the matrix. */
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

// Processors without VNNI add two products of a uint8 and an int8 in 16 bits, which 2 * 255 * 64 still fits and
// 2 * 255 * 127 does not: with seven bits a file means the same on every machine.
const limit = 64;

/** A row-major [rows, columns] matrix, rounded to 129 steps between plus and minus the largest of each row or column. */
export function toInt8(
  matrix: Float32Array,
  [rows, columns]: readonly [rows: number, columns: number],
  { per, turned }: Int8Form,
): Int8Matrix {
  const scales = new Float32Array(per === "row" ? rows : columns);
  const values = new Int8Array(rows * columns);
  const each = (visit: (at: number, row: number, column: number) => void) => {
    for (let row = 0, at = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) visit(at++, row, column);
  };
  each((at, row, column) => {
    const group = per === "row" ? row : column;
    scales[group] = Math.max(scales[group]!, Math.abs(matrix[at]!) / limit);
  });
  each((at, row, column) => {
    // Where all are zeros, so is the scale.
    const scale = scales[per === "row" ? row : column]! || 1;
    values[turned ? column * rows + row : at] = Math.round(matrix[at]! / scale);
  });
  return { values, scales };
}
