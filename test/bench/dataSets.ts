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
  const path = (part: string) => join(shared, "data", name, `${part}.jsonl.gz`);
  if (!existsSync(path("train")) || !existsSync(path("test"))) return undefined;
  const read = (part: string) => {
    const lines = gunzipSync(readFileSync(path(part)))
      .toString()
      .trim()
      .split("\n");
    return lines.map((line) => JSON.parse(line) as Row).filter(({ label }) => label !== leftOut);
  };
  const train = read("train");
  return { train, test: read("test"), labels: [...new Set(train.map(({ label }) => label))].sort() };
}

export const whereDataIsSought = join(shared, "data");
