/** Rows of tables: JSONL `{input: {column: value, …}, label}` or `{column: value, …, label}`, or the fields below a header. */
import { type Cells, cellsOf } from "./cells.ts";
import { decodeUtf8 } from "./lines.ts";
import { type Problem, problem } from "./problems.ts";
import { isObject, labelled, type RowOrProblem } from "./row.ts";

/** What a line of JSONL holds its columns in: as people name it, and as a decision does. */
const names = ["input", "input_json"] as const;

/** What says that a line is of another kind, and its fields no columns. */
const notColumns = [...names, "text", "messages"];

/** Whether a line of JSONL is meant as a row of a table. */
export function holdsColumns(value: Readonly<Record<string, unknown>>): boolean {
  return names.some((name) => isObject(value[name]));
}

export function readTableObject(value: Readonly<Record<string, unknown>>, line: number): RowOrProblem {
  const data = names.map((name) => value[name]).find(isObject);
  if (data) return readCells(data, value.label, line);
  if (notColumns.some((name) => name in value)) return problem("missing_columns", line);
  const { label, ...columns } = value;
  return readCells(columns, label, line);
}

function readCells(data: Readonly<Record<string, unknown>>, label: unknown, line: number): RowOrProblem {
  const found = cellsOf(data);
  if ("holds" in found) return problem("invalid_value", line, `column "${found.column}" holds ${found.holds}`);
  const { cells } = found;
  if (Object.keys(cells).length === 0) return problem("empty_row", line);
  return labelled({ line, text: rowText(cells), cells }, label);
}

/** A row as one text, by which it travels wherever a text does. */
export function rowText(cells: Cells): string {
  return JSON.stringify(cells);
}

/** Reads the records below a header. */
export type ReadRecord = (record: readonly Buffer[], line: number) => RowOrProblem;

/** Every column but the label's is one of the table. */
export function tableReader(header: readonly Buffer[], line: number): ReadRecord | Problem {
  const columns = header.map((name) => decodeUtf8(name)?.trim());
  const lowered = columns.map((name) => name?.toLowerCase());
  const label = lowered.indexOf("label");
  if (lowered.includes("text")) return problem("missing_columns", line, 'the header has a column "text"');
  if (label < 0) return problem("missing_label", line, 'the header needs a column "label"');
  const bad = columns.findIndex((name, i) => !name || columns.indexOf(name) !== i);
  if (bad >= 0) {
    return problem("invalid_column_name", line, `column ${bad + 1} is "${columns[bad] ?? "not UTF-8"}"`);
  }
  return (record, at) => {
    const fields = record.map(decodeUtf8);
    if (fields.includes(undefined)) return problem("invalid_encoding", at);
    const cells = columns.flatMap((name, i) => (i === label ? [] : [[name!, fields[i]] as const]));
    return readCells(Object.fromEntries(cells), fields[label]!.trim(), at);
  };
}
