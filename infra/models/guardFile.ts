/** An operator's own texts to compare precisions by, with labels or without: one JSON object a line. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Refusal } from "./refusal.ts";

const Line = z.object({ text: z.string(), label: z.union([z.string(), z.number()]).optional() });

export interface GuardTexts {
  readonly texts: readonly string[];
  /** Class of each text, counted from 0; null where the lines have no labels. */
  readonly labels: Int32Array | null;
  readonly classes: number;
}

/** Fewer say nothing of a tenth of a point; more take long, as each is compared with all. */
const [least, most] = [20, 20_000];

/** Throws Refusal naming the line. */
export async function readGuard(path: string): Promise<GuardTexts> {
  const content = await readFile(path, "utf8").catch(() => {
    throw new Refusal(`${path} is no file that can be read.`);
  });
  const lines = content
    .split("\n")
    .map(parse(path))
    .filter((line) => line !== undefined);
  if (lines.length < least || lines.length > most) {
    throw new Refusal(`${path} has ${lines.length} texts; ${least} to ${most} are needed.`);
  }
  const labelled = lines.filter(({ label }) => label !== undefined).length;
  if (labelled > 0 && labelled < lines.length) throw new Refusal(`${path}: all lines have a "label", or none.`);
  const names = [...new Set(lines.map(({ label }) => String(label)))];
  if (labelled > 0 && names.length < 2) throw new Refusal(`${path}: all lines have the same "label".`);
  const places = new Map(names.map((name, place) => [name, place]));
  const labels = labelled > 0 ? Int32Array.from(lines, ({ label }) => places.get(String(label))!) : null;
  return { texts: lines.map(({ text }) => text), labels, classes: names.length };
}

const parse = (path: string) => (line: string, index: number) => {
  if (line.trim() === "") return undefined;
  const refuse = () => new Refusal(`${path}, line ${index + 1}: a "text" and a "label" are expected, as JSON.`);
  try {
    const { success, data } = Line.safeParse(JSON.parse(line));
    if (success) return data;
  } catch {}
  throw refuse();
};
