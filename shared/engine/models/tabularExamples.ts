/** The examples of a table as tensors, by an encoding learned from those that are trained on. */
import type { Tensor } from "../dataTypes.ts";
import { type LearnEncodingOptions, learnEncoding, type TableEncoding, type TableRow } from "../tables/encoding.ts";
import { denseRow, tableInputs } from "../tables/features.ts";
import type { Examples } from "../training/examples.ts";
import { readRow } from "./tabularModels.ts";

/** Numbers in bins let a sum over columns bend. A value seen once says nothing of other rows, as with names and ids. */
const encodingOptions: Omit<LearnEncodingOptions, "columns"> = { bins: 16, keep: { most: 1000, leastRows: 2 } };

export interface EncodedExamples {
  /** What the models read, of all rows. */
  tensors: Record<"numbers" | "categories", Tensor>;
  /** How many cells each row has. */
  cells: Int32Array;
}

export function encodeExamples(
  train: Examples,
  valid: Examples,
): { encoding: TableEncoding; train: EncodedExamples; valid: EncodedExamples } {
  const [trained, judged] = [columnsOf(train), columnsOf(valid)];
  const columns = [...trained];
  const { columns: learned, missing } = learnEncoding(rowsOf(train, columns), { columns, ...encodingOptions });
  // Columns that only rows held out have: known, though nothing is known of them.
  const silent = [...judged].filter((name) => !trained.has(name));
  const encoding = {
    columns: [...learned, ...silent.map((name) => ({ name, kind: "category" as const, values: [] }))],
    missing,
  };
  return { encoding, train: encode(train, encoding), valid: encode(valid, encoding) };
}

/** In the order of their names, and so whatever the order of rows. */
function columnsOf({ texts }: Examples): Set<string> {
  return new Set([...new Set(texts.flatMap((text) => Object.keys(JSON.parse(text))))].sort());
}

function rowsOf({ texts }: Examples, columns: readonly string[]): TableRow[] {
  return texts.map((text) => readRow(text, columns));
}

function encode(examples: Examples, encoding: TableEncoding): EncodedExamples {
  const rows = rowsOf(
    examples,
    encoding.columns.map(({ name }) => name),
  );
  return {
    tensors: tableInputs(encoding, rows),
    cells: Int32Array.from(rows, (row) => Object.values(row).filter((cell) => cell !== "").length),
  };
}

/** The average of all dense rows, [width]: the row that knows nothing, from which attributions start. */
export function meanRow({ numbers, categories }: EncodedExamples["tensors"], widths: readonly number[]): Tensor {
  const rows = numbers.shape[0]!;
  const at = ({ shape, data }: Tensor, row: number) => {
    const width = shape[1]!;
    return { shape: [1, width], data: data.subarray(row * width, (row + 1) * width) } as Tensor;
  };
  const sums = new Float64Array(numbers.shape[1]! + widths.reduce((sum, width) => sum + width, 0));
  for (let row = 0; row < rows; row++) {
    const dense = denseRow({ numbers: at(numbers, row), categories: at(categories, row) }, widths);
    for (let i = 0; i < sums.length; i++) sums[i]! += dense[i]!;
  }
  return { shape: [sums.length], data: Float32Array.from(sums, (sum) => sum / rows) };
}
