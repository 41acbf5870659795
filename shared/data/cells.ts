/** A row of a table as cells: what a file or a request gives for each column, in the one form that models read. */

/** By column; what is missing has no cell. */
export type Cells = Readonly<Record<string, string>>;

/** What people write where there is no value. */
const nothing = new Set(["", "?", "NA", "N/A", "NaN", "nan", "NULL", "null"]);

/** The cells, or the column that holds no plain value, and what it holds instead. */
export type CellsOrFault = { cells: Cells } | { column: string; holds: string };

/** The cells of a JSON object, in the order of their columns' names, so that equal rows are equal as JSON. */
export function cellsOf(data: Readonly<Record<string, unknown>>): CellsOrFault {
  const cells: [string, string][] = [];
  for (const column of Object.keys(data).sort()) {
    const value = data[column] ?? "";
    if (typeof value === "object") return { column, holds: Array.isArray(value) ? "a list" : "an object" };
    const cell = String(value).trim();
    if (!nothing.has(cell)) cells.push([column, cell]);
  }
  return { cells: Object.fromEntries(cells) };
}
