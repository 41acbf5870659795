/** Rows of a table as tensors, by an encoding learned from others. */
import type { Tensor } from "../dataTypes.ts";
import type { TabularConfig } from "../models/tabular.ts";
import {
  type CategoryColumn,
  cellOf,
  type NumberColumn,
  type TableEncoding,
  type TableRow,
  toNumber,
} from "./encoding.ts";

/** The widths of what `tableInputs` gives. */
export function tableShape({ columns }: TableEncoding): Pick<TabularConfig, "numbers" | "categories"> {
  return {
    numbers: columns.reduce((total, column) => total + numbersOf(column), 0),
    categories: columns.filter(isCategory).map(({ values }) => values.length + 1),
  };
}

/** What `tabularModel` reads. */
export type TableInputs = Record<"numbers" | "categories", Tensor>;

/** Reads rows by an encoding, in two steps, so that many rows can be kept as little. */
export interface TableReader {
  /**
   * What rows have in each column, [rows, columns]: the number, NaN where it is missing; of a category the number of its
   * value. Throws TableError naming a column that is not there or a cell that is no number.
   */
  values(rows: readonly TableRow[]): Float64Array;
  /**
   * Of `values` those at the places given, by default all: numbers float32 [rows, numbers], each column less its mean and
   * by its deviation, or in bins, what is missing as if it were the mean; categories int32 [rows, categorical columns].
   */
  inputs(values: Float64Array, places?: Int32Array): TableInputs;
}

export function createTableReader({ columns, missing }: TableEncoding): TableReader {
  const ids = columns.map(
    (column) => new Map(isCategory(column) ? column.values.map((value, i) => [value, i + 1]) : []),
  );
  const width = columns.reduce((total, column) => total + numbersOf(column), 0);
  const categorical = columns.filter(isCategory).length;
  const read = (row: TableRow, column: Column, i: number) => {
    const cell = cellOf(row, column.name);
    if (isCategory(column)) return ids[i]!.get(cell) ?? 0;
    return missing.includes(cell) ? Number.NaN : toNumber(cell, column.name);
  };
  return {
    values(rows) {
      const values = new Float64Array(rows.length * columns.length);
      for (const [at, row] of rows.entries()) {
        for (const [i, column] of columns.entries()) values[at * columns.length + i] = read(row, column, i);
      }
      return values;
    },
    inputs(values, places = Int32Array.from({ length: values.length / columns.length }, (_, i) => i)) {
      const numbers = new Float32Array(places.length * width);
      const categories = new Int32Array(places.length * categorical);
      let [number, category] = [0, 0];
      for (const place of places) {
        for (let i = 0; i < columns.length; i++) {
          const [column, value] = [columns[i]!, values[place * columns.length + i]!];
          if (isCategory(column)) categories[category++] = value;
          else number = spread(column, value, numbers, number);
        }
      }
      return {
        numbers: { shape: [places.length, width], data: numbers },
        categories: { shape: [places.length, categorical], data: categories },
      };
    },
  };
}

/** Rows as what `tabularModel` reads; throws as `TableReader`. */
export function tableInputs(encoding: TableEncoding, rows: readonly TableRow[]): TableInputs {
  const reader = createTableReader(encoding);
  return reader.inputs(reader.values(rows));
}

/**
 * The same in one tensor for linear models, float32 [rows, numbers + values of all categorical columns]: each value of
 * a category has a column of its own, which is 1 in its rows. A value that was not seen is 0 in all of them.
 */
export function oneHotFeatures(encoding: TableEncoding, rows: readonly TableRow[]): Tensor {
  const { numbers, categories } = tableInputs(encoding, rows);
  const values = tableShape(encoding).categories.map((count) => count - 1);
  const starts = values.map((_, i) => values.slice(0, i).reduce((sum, count) => sum + count, 0));
  const [given, chosen] = [numbers.shape[1]!, values.length];
  const width = given + values.reduce((sum, count) => sum + count, 0);
  const data = new Float32Array(rows.length * width);
  for (let row = 0; row < rows.length; row++) {
    data.set((numbers.data as Float32Array).subarray(row * given, (row + 1) * given), row * width);
    for (const [i, start] of starts.entries()) {
      const id = categories.data[row * chosen + i] as number;
      if (id > 0) data[row * width + given + start + id - 1] = 1;
    }
  }
  return { shape: [rows.length, width], data };
}

/**
 * A row in one stretch, as attribution takes it: its numbers, and then for each categorical column a share of 1 at the
 * value it has, 0 at the others. Of one row of `tableInputs`.
 */
export function denseRow({ numbers, categories }: TableInputs, widths: readonly number[]): Float32Array {
  const row = new Float32Array(numbers.data.length + widths.reduce((sum, width) => sum + width, 0));
  row.set(numbers.data as Float32Array);
  let start = numbers.data.length;
  for (const [i, width] of widths.entries()) {
    row[start + (categories.data[i] as number)] = 1;
    start += width;
  }
  return row;
}

/** Where each column lies in a dense row, in the encoding's order; the end is not included. */
export function denseRanges(encoding: TableEncoding): { name: string; start: number; end: number }[] {
  const next = { number: 0, category: tableShape(encoding).numbers };
  return encoding.columns.map((column) => {
    const start = next[column.kind];
    next[column.kind] += isNumber(column) ? numbersOf(column) : column.values.length + 1;
    return { name: column.name, start, end: next[column.kind] };
  });
}

type Column = NumberColumn | CategoryColumn;
const isNumber = (column: Column): column is NumberColumn => column.kind === "number";
const isCategory = (column: Column): column is CategoryColumn => column.kind === "category";

function numbersOf(column: Column): number {
  if (!isNumber(column)) return 0;
  return (column.edges ? column.edges.length - 1 : 1) + (column.canBeMissing ? 1 : 0);
}

/** Writes the number or its bins, and, where it may be missing, whether it is; returns where it ended. */
function spread(
  { mean, deviation, edges, canBeMissing }: NumberColumn,
  value: number,
  into: Float32Array,
  start: number,
): number {
  const absent = Number.isNaN(value);
  const known = absent ? mean : value;
  let at = start;
  if (!edges) into[at++] = (known - mean) / deviation;
  for (let bin = 1; edges && bin < edges.length; bin++) {
    const lower = edges[bin - 1]!;
    into[at++] = Math.min(Math.max((known - lower) / (edges[bin]! - lower), 0), 1);
  }
  if (canBeMissing) into[at++] = absent ? 1 : 0;
  return at;
}
