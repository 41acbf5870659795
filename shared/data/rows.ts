/** Streams the rows of a training file: JSONL `{text, label}`, `{input, label}` or chat `{messages}`, CSV or TSV with a header; texts alone also as lines. */
import { pipeline, Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { documentReader, readDocumentObject, readPlainLines } from "./documentRows.ts";
import { LineCounter } from "./lineCounter.ts";
import { decodeUtf8, type Line, maxLineBytes, splitLines } from "./lines.ts";
import { type Problem, problem } from "./problems.ts";
import { contentText, isObject, isProblem, labelled, type RowKind, type RowOrProblem } from "./row.ts";
import { holdsColumns, type ReadRecord, readTableObject, tableReader } from "./tableRows.ts";

const delimiters: Record<string, string> = { csv: ",", tsv: "\t" };

/** The file name's ending tells the format; anything but `.csv`, `.tsv`, and `.txt` of texts alone, is read as JSONL. */
export function readRows(
  source: AsyncIterable<Buffer>,
  filename: string,
  kind: RowKind = "text",
): AsyncGenerator<RowOrProblem> {
  const ending = filename.toLowerCase().split(".").at(-1) ?? "";
  const delimiter = delimiters[ending];
  if (delimiter !== undefined) return readSeparated(source, delimiter, kind);
  return ending === "txt" && kind === "document" ? readPlainLines(source) : readJsonLines(source, kind);
}

async function* readJsonLines(source: AsyncIterable<Buffer>, kind: RowKind): AsyncGenerator<RowOrProblem> {
  for await (const line of splitLines(source)) {
    const item = readJsonLine(line, kind);
    if (item) yield item;
  }
}

/** Undefined for a blank line, and for a row its owner gave weight 0. */
function readJsonLine({ number, bytes }: Line, kind: RowKind): RowOrProblem | undefined {
  if (bytes === null) return problem("line_too_long", number);
  const text = decodeUtf8(bytes);
  if (text === undefined) return problem("invalid_encoding", number);
  if (!text.trim()) return undefined;
  const value = parseObject(text);
  return value ? objectReaders[kind](value, number) : problem("invalid_json", number);
}

type ReadObject = (value: Record<string, unknown>, line: number) => RowOrProblem | undefined;

const objectReaders: Record<RowKind, ReadObject> = {
  text: readTextObject,
  table: readTableObject,
  document: readDocumentObject,
};

function readTextObject(value: Record<string, unknown>, line: number): RowOrProblem | undefined {
  if ("messages" in value) return readChat(value.messages, line);
  return !("text" in value) && holdsColumns(value)
    ? problem("table_row", line)
    : about(value.subject, readPair(value.text, value.label, line));
}

function about(subject: unknown, row: RowOrProblem): RowOrProblem {
  return isProblem(row) || subject === undefined || subject === null ? row : { ...row, subject: String(subject) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readPair(text: unknown, label: unknown, line: number): RowOrProblem {
  if (typeof text !== "string") return problem("missing_text", line);
  if (!text.trim()) return problem("empty_text", line);
  return labelled({ line, text }, label);
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

interface SeparatedRecord {
  record: Buffer[];
  info: Info;
}

async function* readSeparated(
  source: AsyncIterable<Buffer>,
  delimiter: string,
  kind: RowKind,
): AsyncGenerator<RowOrProblem> {
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
  let below: { read: ReadRecord; fields: number } | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<SeparatedRecord>) {
      const line = lines.startOfNext();
      lines.advanceTo(info.bytes);
      if (!below) {
        const read = headerReaders[kind](record, line);
        if (typeof read !== "function") return yield read;
        below = { read, fields: record.length };
      } else if (record.length !== below.fields) {
        yield problem("invalid_csv", line, `${record.length} fields, the header has ${below.fields}`);
      } else yield below.read(record, line);
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

type ReadHeader = (header: readonly Buffer[], line: number) => ReadRecord | Problem;

const headerReaders: Record<RowKind, ReadHeader> = { text: textReader, table: tableReader, document: documentReader };

type Places = [text: number, label: number, subject: number];

function textReader(header: readonly Buffer[], line: number): ReadRecord | Problem {
  const names = header.map((name) => decodeUtf8(name)?.trim().toLowerCase());
  const [textAt, labelAt, subjectAt] = ["text", "label", "subject"].map((name) => names.indexOf(name)) as Places;
  const needed = 'the header needs the columns "text" and "label"';
  if (textAt < 0) return problem("missing_text", line, needed);
  if (labelAt < 0) return problem("missing_label", line, needed);
  return (record, at) => {
    const [text, label] = [decodeUtf8(record[textAt]!), decodeUtf8(record[labelAt]!)];
    if (text === undefined || label === undefined) return problem("invalid_encoding", at);
    return about(subjectAt < 0 ? undefined : decodeUtf8(record[subjectAt]!), readPair(text, label, at));
  };
}
