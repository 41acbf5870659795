/** A row of a training file, of whichever format and kind. */
import type { Cells } from "./cells.ts";
import { type Problem, problem } from "./problems.ts";

/** What is learned from: texts with labels, rows of tables with labels, or texts alone. */
export type RowKind = "text" | "table" | "document";

export interface Row {
  line: number;
  /** Of a row of a table, its cells as JSON. */
  text: string;
  /** Empty where texts are learned from alone and this one has none. */
  label: string;
  /** Of a row of a table. */
  cells?: Cells;
  /** Whom or what it is about or from, where it says so: rows of one are not parted where it matters. */
  subject?: string;
}

export type RowOrProblem = Row | Problem;

export function isProblem(item: RowOrProblem): item is Problem {
  return "code" in item;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All labels of a file are held in memory, and each answer names them. */
const maxLabelLength = 1000;

export function labelled(row: Omit<Row, "label">, label: unknown): RowOrProblem {
  const known = labelOf(label);
  if (known === undefined) return problem("missing_label", row.line);
  return known.length > maxLabelLength ? problem("label_too_long", row.line) : { ...row, label: known };
}

/** Numbers and booleans are labels too; they are known by how JSON writes them. */
function labelOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value.trim() ? value : undefined;
}

/** Content is a string, or parts of which only text parts can be read. */
export function contentText(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part) => (isObject(part) && typeof part.text === "string" ? part.text : undefined));
  return parts.includes(undefined) ? undefined : parts.join("\n");
}
