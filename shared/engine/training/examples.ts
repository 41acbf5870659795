/** The prepared examples a device trains on: JSONL `{line, text, label}`, a label being a number. */
import { readFileSync } from "node:fs";

export interface Examples {
  texts: string[];
  labels: Int32Array;
  /** Of the file that they were uploaded in, counting from 1; 0 where that is not known. */
  lines?: Int32Array;
}

/** Throws where a line is not such an object: the file is written by this program, so that is a bug. */
export function readExamples(path: string): Examples & { lines: Int32Array } {
  const rows = readFileSync(path, "utf8").split("\n");
  if (rows.at(-1) === "") rows.pop();
  const found = rows.map((row) => JSON.parse(row) as { line?: number; text: string; label: number });
  return {
    texts: found.map(({ text }) => text),
    labels: Int32Array.from(found, ({ label }) => label),
    lines: Int32Array.from(found, ({ line = 0 }) => line),
  };
}
