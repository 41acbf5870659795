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

/**
 * What `tabularModel` reads: numbers float32 [rows, numbers], each column less its mean and by its deviation, or in
 * bins, what is missing as if it were the mean; categories int32 [rows, categorical columns]. Throws TableError naming a column that is not there or a cell
 * that is no number.
 */
export function tableInputs(
  encoding: TableEncoding,
  rows: readonly TableRow[],
): Record<"numbers" | "categories", Tensor> {
  const width = tableShape(encoding).numbers;
  const columns = encoding.columns.filter(isCategory);
  const numbers = new Float32Array(rows.length * width);
  const categories = new Int32Array(rows.length * columns.length);
  const ids = columns.map(({ values }) => new Map(values.map((value, i) => [value, i + 1])));
  for (const [at, row] of rows.entries()) {
    numbers.set(
      encoding.columns.filter(isNumber).flatMap((column) => readNumber(encoding, column, row)),
      at * width,
    );
    categories.set(
      columns.map(({ name }, i) => ids[i]!.get(cellOf(row, name)) ?? 0),
      at * columns.length,
    );
  }
  return {
    numbers: { shape: [rows.length, width], data: numbers },
    categories: { shape: [rows.length, columns.length], data: categories },
  };
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
export function denseRow({ numbers, categories }: Record<"numbers" | "categories", Tensor>, widths: readonly number[]) {
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

/** The number or its bins, and, where it may be missing, whether it is. */
function readNumber({ missing }: TableEncoding, column: NumberColumn, row: TableRow): number[] {
  const { name, mean, deviation, edges } = column;
  const cell = cellOf(row, name);
  const absent = missing.includes(cell);
  const value = absent ? mean : toNumber(cell, name);
  const given = edges ? throughBins(value, edges) : [(value - mean) / deviation];
  return column.canBeMissing ? [...given, absent ? 1 : 0] : given;
}

function throughBins(value: number, edges: readonly number[]): number[] {
  return edges.slice(1).map((upper, i) => {
    const lower = edges[i]!;
    return Math.min(Math.max((value - lower) / (upper - lower), 0), 1);
  });
}
