/** How the columns of a table become numbers: learned from training rows, kept with the model, plain JSON. */

/** A row as a CSV reader gives it, by column. */
export type TableRow = Readonly<Record<string, string>>;

export type ColumnKind = "number" | "category";

export interface NumberColumn {
  readonly name: string;
  readonly kind: "number";
  readonly mean: number;
  /** 1 for a column that never varies. */
  readonly deviation: number;
  /** Whether a value was missing in training; then a second number says so. */
  readonly canBeMissing: boolean;
}

export interface CategoryColumn {
  readonly name: string;
  readonly kind: "category";
  /** Sorted. Value i has number i + 1; 0 stands for a value that is missing or was not seen. */
  readonly values: readonly string[];
}

export interface TableEncoding {
  readonly columns: readonly (NumberColumn | CategoryColumn)[];
  /** Cells that stand for nothing. */
  readonly missing: readonly string[];
}

export interface LearnEncodingOptions {
  /** The columns to read, in their order. */
  readonly columns: readonly string[];
  /** Kinds that are not to be guessed: otherwise a column is of numbers if every cell that is there is one. */
  readonly kinds?: Readonly<Record<string, ColumnKind>>;
  /** Cells that stand for nothing. Default: the empty one. */
  readonly missing?: readonly string[];
}

/** A column or a cell does not fit the encoding; the message names both. */
export class TableError extends Error {
  override name = "TableError";
}

/** Throws TableError for a column that is not there, that is always missing, or whose cell is no number. */
export function learnEncoding(rows: readonly TableRow[], options: LearnEncodingOptions): TableEncoding {
  const { columns, kinds = {}, missing = [""] } = options;
  const learned = columns.map((name) => {
    const cells = rows.map((row) => cellOf(row, name));
    const present = cells.filter((cell) => !missing.includes(cell));
    if (present.length === 0) throw new TableError(`column "${name}" has no values`);
    const kind = kinds[name] ?? (present.every(isNumber) ? "number" : "category");
    return kind === "number"
      ? learnNumber(name, present, present.length < cells.length)
      : { name, kind, values: [...new Set(present)].sort() };
  });
  return { columns: learned, missing };
}

function learnNumber(name: string, cells: readonly string[], canBeMissing: boolean): NumberColumn {
  const values = cells.map((cell) => toNumber(cell, name));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { name, kind: "number", mean, deviation: Math.sqrt(variance) || 1, canBeMissing };
}

/** Throws TableError where the row has no such column. */
export function cellOf(row: TableRow, name: string): string {
  const cell = row[name];
  if (cell === undefined) throw new TableError(`there is no column "${name}"`);
  return cell;
}

/** Throws TableError for what is no finite number. */
export function toNumber(cell: string, name: string): number {
  if (!isNumber(cell)) throw new TableError(`"${cell}" in column "${name}" is not a number`);
  return Number(cell);
}

function isNumber(cell: string): boolean {
  return cell.trim() !== "" && Number.isFinite(Number(cell));
}
