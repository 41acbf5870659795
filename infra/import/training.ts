/**
 * Training files of chat models as training files of classifiers: what the users said is the text, the last answer the
 * label. Where a file can be read as it is, it is kept byte for byte.
 */
import { hash } from "node:crypto";
import { Readable } from "node:stream";
import { isProblem } from "../../shared/data/row.ts";
import { readRows } from "../../shared/data/rows.ts";
import type { Kind } from "./kinds.ts";
import type { Problem } from "./problem.ts";
import { type JsonFile, type JsonRecord, placeIn } from "./records.ts";

export interface TrainingFile {
  /** In the folder. */
  path: string;
  /** What is uploaded. */
  content: Buffer;
  /** What was changed on the way; null: nothing. */
  conversion: string | null;
  /** Names what is uploaded, so that it is known again. */
  digest: string;
  rows: { text: string; label: string }[];
  labels: number;
  /** Whether the answers are a small closed set, which a classifier learns. */
  isClassification: boolean;
}

interface TrainingSource {
  path: string;
  text: string;
  file: JsonFile;
  kindOf(record: JsonRecord): Kind | undefined;
}

/** Of every label at least this many rows on average: fewer are texts that happen to repeat. */
const leastRowsOfLabel = 2;
const spaces = "blanks around labels are left out";
const prompts = "prompts and completions became texts and labels";

export async function readTraining(
  source: TrainingSource,
): Promise<{ training: TrainingFile | undefined; problems: Problem[] }> {
  const { path, file, kindOf } = source;
  const problems: Problem[] = [];
  const lines = new Map(file.records.map((record) => [record.number, lineOf(record, kindOf(record))]));
  const last = Math.max(0, ...lines.keys());
  const text = Array.from({ length: last }, (_, i) => lines.get(i + 1) ?? "").join("\n");
  const rows: TrainingFile["rows"] = [];
  const notes = new Set<string>();
  let tooLong = 0;
  for await (const row of readRows(Readable.from([Buffer.from(text)]), "lines.jsonl")) {
    if (isProblem(row)) {
      if (row.code === "label_too_long") tooLong++;
      problems.push({ place: placeIn(path, file, row.line ?? 1), message: `${row.message} ${row.fix}` });
      continue;
    }
    const label = row.label.trim();
    if (label !== row.label) notes.add(spaces);
    rows.push({ text: row.text, label });
  }
  if (rows.length + tooLong === 0) return { training: undefined, problems };
  if ([...file.records].some((record) => kindOf(record) === "prompt_row")) notes.add(prompts);
  const labels = new Set(rows.map(({ label }) => label)).size;
  const isClassification = labels > 1 && (labels + tooLong) * leastRowsOfLabel <= rows.length + tooLong;
  const isWhole = file.isLines && problems.length === 0 && file.broken.length === 0 && isAll(source);
  if (!isWhole) notes.add("lines that cannot be learned from are left out");
  const content = notes.size ? Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join("")) : source.text;
  return {
    training: {
      path,
      content: Buffer.from(content),
      conversion: notes.size ? [...notes].join("; ") : null,
      digest: hash("sha256", content),
      ...{ rows, labels, isClassification },
    },
    // That an essay is no label is said once, of the file.
    problems: isClassification
      ? problems
      : problems.filter(({ message }) => !message.startsWith("The label is longer")),
  };
}

const isAll = ({ file, kindOf }: TrainingSource) => file.records.every((record) => kindOf(record) === "training_row");

/** As the reader of training files takes it; blank where it is something else. */
function lineOf({ value }: JsonRecord, kind: Kind | undefined): string {
  if (kind === "training_row") return JSON.stringify(value);
  if (kind !== "prompt_row") return "";
  return JSON.stringify({ text: String(value.prompt).trim(), label: String(value.completion).trim() });
}
