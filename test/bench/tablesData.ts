/** Public tables, from the directory of shared data, each cut into rows to learn from and rows to judge by. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { permutation } from "../../shared/engine/index.ts";
import { learnEncoding, type TableEncoding, type TableRow } from "../../shared/engine/tables/encoding.ts";
import { whereDataIsSought } from "./dataSets.ts";

interface Source {
  /** The published split, or one file that is to be split. */
  files: readonly [train: string, test: string] | readonly [all: string];
  target: string;
  /** Columns that say nothing of other rows. */
  leftOut: readonly string[];
  missing: readonly string[];
}

const sources = {
  adult: {
    files: ["adult.data.csv.gz", "adult.test.csv.gz"],
    target: "target",
    leftOut: ["fnlwgt"],
    missing: ["?"],
  },
  telco_churn: { files: ["telco_customer_churn.csv"], target: "Churn", leftOut: ["customerID"], missing: [""] },
  california_housing: { files: ["housing.csv.gz"], target: "median_house_value", leftOut: [], missing: [""] },
} as const satisfies Record<string, Source>;

export type TableName = keyof typeof sources;

/** Rows to learn from, and others to judge by. */
export interface Fold {
  train: TableRow[];
  test: TableRow[];
  /** Learned from the training rows. */
  encoding: TableEncoding;
}

export interface Table {
  /** The published split, or, where none is, five that judge each row once. */
  folds: Fold[];
  target: string;
}

const foldCount = 5;

/** Undefined where the set is not there. */
export function readTable(name: TableName): Table | undefined {
  const { files, target, leftOut, missing }: Source = sources[name];
  const paths = files.map((file) => join(whereDataIsSought, name, file));
  if (!paths.every((path) => existsSync(path))) return undefined;
  const [first, second] = paths.map(readRows);
  const columns = Object.keys(first![0]!).filter((column) => column !== target && !leftOut.includes(column));
  const splits = second ? [{ train: first!, test: second }] : split(first!);
  const folds = splits.map((rows) => ({ ...rows, encoding: learnEncoding(rows.train, { columns, missing }) }));
  return { folds, target };
}

function readRows(path: string): TableRow[] {
  const bytes = readFileSync(path);
  return parse(path.endsWith(".gz") ? gunzipSync(bytes) : bytes, { columns: true, trim: true });
}

function split(rows: TableRow[]): { train: TableRow[]; test: TableRow[] }[] {
  const order = Array.from(permutation(rows.length, 1), (row) => rows[row]!);
  return Array.from({ length: foldCount }, (_, fold) => ({
    train: order.filter((_, i) => i % foldCount !== fold),
    test: order.filter((_, i) => i % foldCount === fold),
  }));
}
