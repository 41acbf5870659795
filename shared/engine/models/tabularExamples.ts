/** The examples of a table, kept as little as they can be, by an encoding learned from those that are trained on. */
import type { Tensor } from "../dataTypes.ts";
import {
  type ColumnKind,
  isNumber,
  type LearnEncodingOptions,
  learnEncoding,
  type TableEncoding,
} from "../tables/encoding.ts";
import { createTableReader, type TableInputs } from "../tables/features.ts";
import type { Examples } from "../training/examples.ts";
import type { TabularConfig } from "./tabular.ts";
import { readRow } from "./tabularModels.ts";

/** Numbers in bins let a sum over columns bend. A value seen once says nothing of other rows, as with names and ids. */
const encodingOptions: Omit<LearnEncodingOptions, "columns"> = { bins: 16, keep: { most: 1000, leastRows: 2 } };

/** Of larger tables a part, evenly spread, tells as well where values lie. */
const learnedRows = 100_000;
/** Rows that are objects at once: as such they take many times the room. */
const chunkRows = 4096;

export interface EncodedExamples {
  readonly rows: number;
  /** What the models read, of the rows given. */
  inputs(places: Int32Array): TableInputs;
  /** How many cells each row has. */
  readonly cells: Int32Array;
}

export function encodeExamples(
  train: Examples,
  valid: Examples,
): { encoding: TableEncoding; train: EncodedExamples; valid: EncodedExamples } {
  // Of both, or a word among the rows held out could not be read in a column of numbers.
  const kinds = kindsOf(train.texts, valid.texts);
  const sample = evenly(train.texts, learnedRows);
  const present = new Set(sample.flatMap((text) => Object.keys(JSON.parse(text))));
  const columns = [...present].sort();
  const rows = sample.map((text) => readRow(text, columns));
  const learned = learnEncoding(rows, { columns, kinds: Object.fromEntries(kinds), ...encodingOptions });
  // Columns that only other rows have: known, though nothing is known of them.
  const silent = [...kinds.keys()].filter((name) => !present.has(name)).sort();
  const further = silent.map((name) => ({ name, kind: "category" as const, values: [] }));
  const encoding = { ...learned, columns: [...learned.columns, ...further] };
  return { encoding, train: encode(train.texts, encoding), valid: encode(valid.texts, encoding) };
}

/** Every column: of numbers, where all of its cells are. */
function kindsOf(...parts: readonly (readonly string[])[]): Map<string, ColumnKind> {
  const kinds = new Map<string, ColumnKind>();
  for (const text of parts.flat()) {
    for (const [name, cell] of Object.entries(JSON.parse(text) as Record<string, string>)) {
      if (!isNumber(cell)) kinds.set(name, "category");
      else if (!kinds.has(name)) kinds.set(name, "number");
    }
  }
  return kinds;
}

function evenly<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}

function encode(texts: readonly string[], encoding: TableEncoding): EncodedExamples {
  const names = encoding.columns.map(({ name }) => name);
  const reader = createTableReader(encoding);
  const values = new Float64Array(texts.length * names.length);
  const cells = new Int32Array(texts.length);
  for (let start = 0; start < texts.length; start += chunkRows) {
    const rows = texts.slice(start, start + chunkRows).map((text) => readRow(text, names));
    values.set(reader.values(rows), start * names.length);
    cells.set(
      rows.map((row) => Object.values(row).filter((cell) => cell !== "").length),
      start,
    );
  }
  return { rows: texts.length, inputs: (places) => reader.inputs(values, places), cells };
}

/** The average of all dense rows, [width]: the row that knows nothing, from which attributions start. */
export function meanRow({ rows, inputs }: EncodedExamples, { numbers, categories }: TabularConfig): Tensor {
  const starts = categories.map((_, i) => categories.slice(0, i).reduce((sum, values) => sum + values, numbers));
  const sums = new Float64Array(categories.reduce((sum, values) => sum + values, numbers));
  for (let start = 0; start < rows; start += chunkRows) {
    const places = Int32Array.from({ length: Math.min(chunkRows, rows - start) }, (_, i) => start + i);
    const read = inputs(places);
    const [values, ids] = [read.numbers.data as Float32Array, read.categories.data as Int32Array];
    for (let i = 0; i < values.length; i++) sums[i % numbers]! += values[i]!;
    for (let i = 0; i < ids.length; i++) sums[starts[i % starts.length]! + ids[i]!]!++;
  }
  return { shape: [sums.length], data: Float32Array.from(sums, (sum) => sum / rows) };
}
