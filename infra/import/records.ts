/** The objects in a file of JSON, whether it is one document, a list, pages of one, or an object a line. */
import { isObject } from "../../shared/data/row.ts";

export interface JsonRecord {
  value: Record<string, unknown>;
  /** Line of a file with an object a line, else place in the document's list; from 1. */
  number: number;
}

export interface JsonFile {
  isLines: boolean;
  records: JsonRecord[];
  /** Lines, or items, that are no JSON objects. */
  broken: number[];
}

/** Such as `train.jsonl:12`. */
export const placeIn = (path: string, { isLines }: Pick<JsonFile, "isLines">, number: number) =>
  isLines ? `${path}:${number}` : `${path}, item ${number}`;

/** Undefined where nothing of it is JSON. */
export function readJsonFile(text: string): JsonFile | undefined {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  const said = lines.filter((line) => line.trim());
  const isLines = said.length > 1 && isObject(parse(said[0]!));
  const whole = isLines ? undefined : parse(text.replace(/^\ufeff/, ""));
  return typeof whole === "object" && whole !== null ? fromDocument(whole) : fromLines(lines);
}

function fromDocument(document: object): JsonFile {
  const items = itemsOf(document);
  const numbered = items.map((value, i) => ({ value, number: i + 1 }));
  return {
    isLines: false,
    records: numbered.filter((item): item is JsonRecord => isObject(item.value)),
    broken: numbered.filter(({ value }) => !isObject(value)).map(({ number }) => number),
  };
}

function fromLines(lines: readonly string[]): JsonFile | undefined {
  const file: JsonFile = { isLines: true, records: [], broken: [] };
  for (const [i, line] of lines.entries()) {
    if (!line.trim()) continue;
    const value = parse(line);
    const items = typeof value === "object" && value !== null ? itemsOf(value) : [value];
    if (!items.every(isObject)) file.broken.push(i + 1);
    else file.records.push(...items.map((item) => ({ value: item, number: i + 1 })));
  }
  return file.records.length > 0 ? file : undefined;
}

/** A list, also as the SDK's pages and the REST API write one. */
function itemsOf(value: object): unknown[] {
  if (Array.isArray(value)) return value;
  const { data, object } = value as { data?: unknown; object?: unknown };
  return Array.isArray(data) && (object === "list" || object === undefined) ? data : [value];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
