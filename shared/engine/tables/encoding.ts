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
  /** Rising. Where given, the column becomes a number for each bin between two of them: see `LearnEncodingOptions`. */
  readonly edges?: readonly number[];
}

export interface CategoryColumn {
  readonly name: string;
  readonly kind: "category";
  /** Sorted. Value i has number i + 1; 0 stands for a value that is missing, was not seen, or was left out as rare. */
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
  /**
   * Into how many bins of equally many rows a column of numbers is cut. A network then sees how far a value has come
   * through each: 1 for the bins below it, 0 for those above (piecewise linear encoding, Gorishniy et al. 2022), and
   * can treat every stretch of a number otherwise. Default: none, and a column is one number.
   */
  readonly bins?: number;
  /** Which values of a category are kept. Default: all. */
  readonly keep?: { readonly most: number; readonly leastRows: number };
}

/** A column or a cell does not fit the encoding; the message names both. */
export class TableError extends Error {
  override name = "TableError";
}

/** Throws TableError for a column that is not there, that is always missing, or whose cell is no number. */
export function learnEncoding(rows: readonly TableRow[], options: LearnEncodingOptions): TableEncoding {
  const { columns, kinds = {}, missing = [""], bins = 0, keep } = options;
  const learned = columns.map((name) => {
    const cells = rows.map((row) => cellOf(row, name));
    const present = cells.filter((cell) => !missing.includes(cell));
    if (present.length === 0) throw new TableError(`column "${name}" has no values`);
    const kind = (Object.hasOwn(kinds, name) && kinds[name]) || (present.every(isNumber) ? "number" : "category");
    const number =
      kind === "number" && learnNumber(name, present, { canBeMissing: present.length < cells.length, bins });
    return number || { name, kind: "category" as const, values: learnValues(present, keep).sort() };
  });
  return { columns: learned, missing };
}

/** Undefined for a number that never varies and is to be cut into bins: there are none. */
function learnNumber(
  name: string,
  cells: readonly string[],
  { canBeMissing, bins }: { canBeMissing: boolean; bins: number },
): NumberColumn | undefined {
  const values = Float64Array.from(cells, (cell) => toNumber(cell, name));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const column = { name, kind: "number" as const, mean, deviation: Math.sqrt(variance) || 1, canBeMissing };
  if (bins === 0) return column;
  const edges = quantiles(values, bins);
  return edges.length > 1 ? { ...column, edges } : undefined;
}

/** The most frequent ones; among equals, those that come first. */
function learnValues(cells: readonly string[], keep: LearnEncodingOptions["keep"]): string[] {
  const counts = new Map<string, number>();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  if (!keep) return [...counts.keys()];
  const frequent = [...counts].filter(([, count]) => count >= keep.leastRows).sort(([, a], [, b]) => b - a);
  return frequent.slice(0, keep.most).map(([value]) => value);
}

/** The least value, the greatest, and those that cut what lies between into parts of equally many; each once. */
function quantiles(values: Float64Array, parts: number): number[] {
  const sorted = values.toSorted();
  const at = (part: number) => sorted[Math.round((part * (sorted.length - 1)) / parts)]!;
  return [...new Set(Array.from({ length: parts + 1 }, (_, part) => at(part)))];
}

/** Throws TableError where the row has no such column. */
export function cellOf(row: TableRow, name: string): string {
  const cell = Object.hasOwn(row, name) ? row[name] : undefined;
  if (cell === undefined) throw new TableError(`there is no column "${name}"`);
  return cell;
}

/** Throws TableError for what is no finite number. */
export function toNumber(cell: string, name: string): number {
  if (!isNumber(cell)) throw new TableError(`"${cell}" in column "${name}" is not a number`);
  return Number(cell);
}

/** Beyond this a number's square, and soon a float32, would overflow. */
const largestNumber = 1e30;

/** Whether a cell is taken for a number. */
export function isNumber(cell: string): boolean {
  return cell.trim() !== "" && Math.abs(Number(cell)) <= largestNumber;
}
