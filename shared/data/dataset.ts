/** From uploaded files to what training reads: every line checked, repeats dropped, labels numbered, a split held out. */
import { hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Columns, createColumns } from "./columns.ts";
import { createRowIndex, type RowIndex } from "./duplicates.ts";
import { splitLines } from "./lines.ts";
import { createLineWriter, type LineWriter } from "./lineWriter.ts";
import { emptyReport, type ProblemReport, problem, report } from "./problems.ts";
import { isProblem, type Row, type RowKind } from "./row.ts";
import { readRows } from "./rows.ts";

/** More classes than this is a free-text column, not a label. */
const maxLabels = 10_000;

export interface SourceFile {
  path: string;
  /** Its ending tells the format. */
  filename: string;
}

export interface DatasetOptions {
  training: SourceFile;
  /** Without one, a stratified part of the training rows is held out. */
  validation?: SourceFile;
  directory: string;
  seed: number;
  /** What the base model reads. Default: texts. */
  kind?: RowKind;
  /**
   * Share of each label's rows to hold out, and about how many rows at most; a label with four rows or more gives at least
   * one, and never its last.
   */
  holdOut: { share: number; most: number };
}

export interface Dataset {
  training: ProblemReport;
  validation: ProblemReport | null;
  /** In the order of their first appearance; a row's label is an index into this. Of texts alone, the empty label is none. */
  labels: string[];
  /** JSONL `{line, text, label: index}`, in file order; lines count from 1. */
  trainFile: string;
  validFile: string;
  trainRows: number;
  validRows: number;
}

interface Scan {
  problems: ProblemReport;
  path: string;
  /** Rows of each label that may be held out: neither repeats nor contested. */
  counts: number[];
  /** One bit a row: repeats of an earlier row. */
  dropped: BitSet;
  /** Rows whose text also has another label: they must not be what the model is judged by. */
  contested: BitSet;
}

/** Reads each file twice at most and holds neither; a report with errors comes with empty splits. */
export async function prepareDataset(options: DatasetOptions): Promise<Dataset> {
  await mkdir(options.directory, { recursive: true });
  const labels = new Map<string, number>();
  const columns = createColumns();
  const training = await scan(options.training, options, { labels, columns }, "training");
  checkAny(training);
  if (options.kind !== "document") checkLabels(training, labels);
  for (const oddity of columns.oddities()) report(training.problems, oddity);
  // What texts alone are judged by need not stand beside those that are learned from.
  const known = options.kind === "document" ? undefined : new Set(labels.keys());
  const validation =
    options.validation && (await scan(options.validation, options, { labels, columns, known }, "validation"));
  if (validation) checkAny(validation);

  const dataset: Dataset = {
    training: training.problems,
    validation: validation?.problems ?? null,
    labels: [...labels.keys()],
    trainFile: join(options.directory, "train.jsonl"),
    validFile: join(options.directory, "valid.jsonl"),
    trainRows: 0,
    validRows: 0,
  };
  if (training.problems.errorCount || validation?.problems.errorCount) return dataset;
  const train = createLineWriter(dataset.trainFile);
  const valid = createLineWriter(dataset.validFile);
  const chosen = validation ? () => false : stratifiedChoice(training.counts, options);
  await copyRows(training, (line, label, row) => {
    const held = chosen(label, row, training.contested.has(row));
    dataset[held ? "validRows" : "trainRows"]++;
    return (held ? valid : train).write(line);
  });
  if (validation) {
    await copyRows(validation, (line) => {
      dataset.validRows++;
      return valid.write(line);
    });
  }
  await Promise.all([train.close(), valid.close()]);
  return dataset;
}

function checkAny({ problems, counts }: Scan): void {
  if (!problems.errorCount && !counts.length) report(problems, problem("empty_file", null));
}

function checkLabels({ problems }: Scan, labels: Map<string, number>): void {
  if (problems.errorCount || labels.size > 1) return;
  report(problems, problem("single_label", null, `it is "${[...labels.keys()][0]}"`));
}

/** First pass: checks and numbers the rows and writes the good ones to a file of their own. */
async function scan(
  source: SourceFile,
  { directory, kind }: DatasetOptions,
  table: Pick<RowSinks, "labels" | "columns" | "known">,
  name: string,
): Promise<Scan> {
  const found: Scan = {
    problems: emptyReport(),
    path: join(directory, `${name}.rows.jsonl`),
    counts: [],
    dropped: new BitSet(),
    contested: new BitSet(),
  };
  const index = createRowIndex(join(directory, `${name}.index`));
  const output = createLineWriter(found.path);
  const sinks: RowSinks = { found, index, output, ...table };
  try {
    for await (const item of readRows(createReadStream(source.path), source.filename, kind)) {
      if (isProblem(item)) report(found.problems, item);
      else {
        const full = acceptRow(item, sinks);
        if (full) await full;
      }
    }
    await output.close();
    if (!found.problems.errorCount) await markRepeats(found, index);
  } finally {
    output.destroy();
    await index.discard();
  }
  return found;
}

interface RowSinks {
  found: Scan;
  index: RowIndex;
  output: LineWriter;
  labels: Map<string, number>;
  columns: Columns;
  /** Of validation rows: the labels of the training file. */
  known?: Set<string>;
}

/** A promise only when the disk needs time. */
function acceptRow(row: Row, { found, index, output, labels, columns, known }: RowSinks): Promise<void> | undefined {
  if (known && !known.has(row.label)) {
    report(found.problems, problem("unknown_label", row.line, `"${row.label}"`));
    return undefined;
  }
  const misfit = row.cells && (known ? columns.check(row.cells, row.line) : columns.learn(row.cells, row.line));
  if (misfit) {
    report(found.problems, misfit);
    return undefined;
  }
  let label = labels.get(row.label);
  if (label === undefined) {
    if (labels.size === maxLabels) {
      report(found.problems, problem("too_many_labels", row.line));
      return undefined;
    }
    label = labels.size;
    labels.set(row.label, label);
  }
  found.counts[label] = (found.counts[label] ?? 0) + 1;
  // Equal rows of a table are as many cases of something: how often they occur is what there is to learn.
  if (!row.cells) index.add(row.text, label, row.line);
  return output.write(JSON.stringify({ line: row.line, text: row.text, label }));
}

async function markRepeats(found: Scan, index: RowIndex): Promise<void> {
  for await (const { kind, row, label, line, first } of index.repeats()) {
    const detail = `first seen on line ${first.line}`;
    if (kind === "duplicate") {
      found.dropped.add(row);
      found.counts[label]!--;
      report(found.problems, problem("duplicate_row", line, detail));
    } else {
      contest(found, { row, label });
      contest(found, first);
      report(found.problems, problem("contradictory_label", line, detail));
    }
  }
  found.problems.warnings.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function contest({ contested, counts }: Scan, { row, label }: { row: number; label: number }): void {
  if (contested.has(row)) return;
  contested.add(row);
  counts[label]!--;
}

type TakeLine = (line: string, label: number, row: number) => Promise<void> | undefined;

/** Second pass: every row that is kept, in file order. */
async function copyRows(from: Scan, take: TakeLine): Promise<void> {
  for await (const { number, bytes } of splitLines(createReadStream(from.path), Number.POSITIVE_INFINITY)) {
    const row = number - 1;
    if (from.dropped.has(row)) continue;
    const line = bytes!.toString();
    const full = take(line, Number(line.slice(line.lastIndexOf(":") + 1, -1)), row);
    if (full) await full;
  }
  await rm(from.path);
}

/**
 * Selection sampling, label by label (Knuth, TAOCP 2, 3.4.2, algorithm S): exact counts in one pass, and the same
 * choice for the same seed.
 */
function stratifiedChoice(counts: readonly number[], { seed, holdOut }: DatasetOptions) {
  const left = [...counts];
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const share = Math.min(holdOut.share, holdOut.most / Math.max(rows, 1));
  const wanted = counts.map((count) => (count < 4 ? 0 : Math.max(1, Math.round(count * share))));
  return (label: number, row: number, contested: boolean): boolean => {
    if (contested || uniform(seed, row) >= wanted[label]! / left[label]!--) return false;
    wanted[label]!--;
    return true;
  };
}

/** In [0, 1), a pure function of seed and row. */
function uniform(seed: number, row: number): number {
  return hash("md5", `${seed}:${row}`, "buffer").readUInt32LE(0) / 2 ** 32;
}

/** A bit a row, grown as needed. */
class BitSet {
  #bits = new Uint8Array(1024);

  add(index: number): void {
    const byte = index >> 3;
    if (byte >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(this.#bits.length * 2, byte + 1));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[byte]! |= 1 << (index & 7);
  }

  has(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }
}
