/** Public sets of texts and labels, from the directory of shared data. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Row } from "../examples/customer.ts";

export interface DataSet {
  train: Row[];
  test: Row[];
  labels: string[];
}

const shared = resolve(process.env.MILLRACE_SHARED ?? fileURLToPath(new URL("../../../shared", import.meta.url)));

/** Undefined where the set is not there. Rows labelled `leftOut` are dropped from both sides. */
export function readDataSet(name: string, leftOut?: string): DataSet | undefined {
  const of = (part: string) => readRows<Row>(`${name}/${part}`)?.filter(({ label }) => label !== leftOut);
  // Of large sets a part of the training rows is kept.
  const [train, test] = [of("train") ?? of("train_subset"), of("test")];
  if (!train || !test) return undefined;
  return { train, test, labels: [...new Set(train.map(({ label }) => label))].sort() };
}

/** The lines of a file of shared data; undefined where it is not there. */
export function readRows<Line>(name: string): Line[] | undefined {
  const path = join(shared, "data", `${name}.jsonl.gz`);
  if (!existsSync(path)) return undefined;
  const lines = gunzipSync(readFileSync(path)).toString().trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

export const whereDataIsSought = join(shared, "data");
