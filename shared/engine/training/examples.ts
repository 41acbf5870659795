/** The prepared examples a device trains on: JSONL `{text, label}`, a label being a number. */
import { readFileSync } from "node:fs";

export interface Examples {
  texts: string[];
  labels: Int32Array;
}

/** Throws where a line is not such an object: the file is written by this program, so that is a bug. */
export function readExamples(path: string): Examples {
  const lines = readFileSync(path, "utf8").split("\n");
  if (lines.at(-1) === "") lines.pop();
  const rows = lines.map((line) => JSON.parse(line) as { text: string; label: number });
  return { texts: rows.map(({ text }) => text), labels: Int32Array.from(rows, ({ label }) => label) };
}
