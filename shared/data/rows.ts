/** Streams the rows of a training file: JSONL `{text, label}`, JSONL chat `{messages}`, CSV or TSV with a header. */
import { pipeline, Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { LineCounter } from "./lineCounter.ts";
import { decodeUtf8, type Line, maxLineBytes, splitLines } from "./lines.ts";
import { type Problem, type ProblemCode, problem } from "./problems.ts";

export interface Row {
  line: number;
  text: string;
  label: string;
}

export type RowOrProblem = Row | Problem;

export function isProblem(item: RowOrProblem): item is Problem {
  return "code" in item;
}

const readers: Record<string, (source: AsyncIterable<Buffer>) => AsyncGenerator<RowOrProblem>> = {
  csv: (source) => readSeparated(source, ","),
  tsv: (source) => readSeparated(source, "\t"),
};

/** The file name's ending tells the format; anything but `.csv` and `.tsv` is read as JSONL. */
export function readRows(source: AsyncIterable<Buffer>, filename: string): AsyncGenerator<RowOrProblem> {
  const ending = filename.toLowerCase().split(".").at(-1) ?? "";
  return (readers[ending] ?? readJsonLines)(source);
}

async function* readJsonLines(source: AsyncIterable<Buffer>): AsyncGenerator<RowOrProblem> {
  for await (const line of splitLines(source)) {
    const item = readJsonLine(line);
    if (item) yield item;
  }
}

/** Undefined for a blank line, and for a row its owner gave weight 0. */
function readJsonLine({ number, bytes }: Line): RowOrProblem | undefined {
  if (bytes === null) return problem("line_too_long", number);
  const text = decodeUtf8(bytes);
  if (text === undefined) return problem("invalid_encoding", number);
  if (!text.trim()) return undefined;
  const value = parseObject(text);
  if (!value) return problem("invalid_json", number);
  return "messages" in value ? readChat(value.messages, number) : readPair(value.text, value.label, number);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All labels of a file are held in memory, and each answer names them. */
const maxLabelLength = 1000;

/** Numbers and booleans are labels too; they are known by how JSON writes them. */
function labelOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value.trim() ? value : undefined;
}

function readPair(text: unknown, label: unknown, line: number): RowOrProblem {
  if (typeof text !== "string") return problem("missing_text", line);
  if (!text.trim()) return problem("empty_text", line);
  const known = labelOf(label);
  if (known === undefined) return problem("missing_label", line);
  return known.length > maxLabelLength ? problem("label_too_long", line) : { line, text, label: known };
}

/** What the users said is the text, the last assistant message is the label. */
function readChat(messages: unknown, line: number): RowOrProblem | undefined {
  if (!Array.isArray(messages) || !messages.every(isObject))
    return problem("invalid_json", line, "messages is not a list of objects");
  const answer = messages.at(-1);
  if (answer?.role !== "assistant") return problem("missing_label", line);
  if (answer.weight === 0) return undefined;
  const said = messages.filter(({ role }) => role === "user").map(({ content }) => contentText(content));
  if (!said.length || said.includes(undefined)) return problem("missing_text", line);
  return readPair(said.join("\n"), contentText(answer.content), line);
}

/** Content is a string, or parts of which only text parts can be read. */
function contentText(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part) => (isObject(part) && typeof part.text === "string" ? part.text : undefined));
  return parts.includes(undefined) ? undefined : parts.join("\n");
}

interface SeparatedRecord {
  record: Buffer[];
  info: Info;
}

async function* readSeparated(source: AsyncIterable<Buffer>, delimiter: string): AsyncGenerator<RowOrProblem> {
  // The parser's own `bom` and `lines` are not used: the one turns bytes into text, the other counts a CRLF inside
  // quotes twice.
  const options = {
    delimiter,
    encoding: null,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxLineBytes,
  } as const;
  const lines = new LineCounter();
  const parser = parse(options);
  // An error on either side reaches the loop below through the parser.
  pipeline(Readable.from(counted(source, lines)), parser, () => {});
  let columns: { text: number; label: number; count: number } | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<SeparatedRecord>) {
      const line = lines.startOfNext();
      lines.advanceTo(info.bytes);
      if (columns) yield readRecord(record, columns, line);
      else {
        const header = readHeader(record);
        if (typeof header === "string")
          return yield problem(header, line, 'the header needs the columns "text" and "label"');
        columns = header;
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    yield problem("invalid_csv", lines.startOfNext(), error.message);
  }
}

/** Passes the bytes on without their byte order mark. */
async function* counted(source: AsyncIterable<Buffer>, lines: LineCounter): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    if (start && start.length + chunk.length < byteOrderMark.length) {
      start = Buffer.concat([start, chunk]);
      continue;
    }
    const bytes: Buffer = start ? withoutByteOrderMark(Buffer.concat([start, chunk])) : chunk;
    start = undefined;
    lines.push(bytes);
    yield bytes;
  }
  if (start?.length) {
    lines.push(start);
    yield start;
  }
}

const byteOrderMark = Buffer.from("\ufeff");

function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? bytes.subarray(byteOrderMark.length) : bytes;
}

function readHeader(record: Buffer[]): { text: number; label: number; count: number } | ProblemCode {
  const names = record.map((name) => decodeUtf8(name)?.trim().toLowerCase());
  const text = names.indexOf("text");
  const label = names.indexOf("label");
  if (text < 0) return "missing_text";
  if (label < 0) return "missing_label";
  return { text, label, count: names.length };
}

function readRecord(
  record: Buffer[],
  columns: { text: number; label: number; count: number },
  line: number,
): RowOrProblem {
  if (record.length !== columns.count) {
    return problem("invalid_csv", line, `${record.length} fields, the header has ${columns.count}`);
  }
  const text = decodeUtf8(record[columns.text]!);
  const label = decodeUtf8(record[columns.label]!);
  if (text === undefined || label === undefined) return problem("invalid_encoding", line);
  return readPair(text, label, line);
}
