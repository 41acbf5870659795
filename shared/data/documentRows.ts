/** Texts to learn from alone: JSONL `{text}` or chat `{messages}`, a column `text`, or the lines of a plain text. */
import { decodeUtf8, splitLines } from "./lines.ts";
import { type Problem, problem } from "./problems.ts";
import { contentText, isObject, type RowOrProblem } from "./row.ts";
import type { ReadRecord } from "./tableRows.ts";

export async function* readPlainLines(source: AsyncIterable<Buffer>): AsyncGenerator<RowOrProblem> {
  for await (const { number, bytes } of splitLines(source)) {
    if (bytes === null) yield problem("line_too_long", number);
    else {
      const text = decodeUtf8(bytes);
      if (text === undefined) yield problem("invalid_encoding", number);
      else if (text.trim()) yield { line: number, text, label: "" };
    }
  }
}

/** Of a conversation all that was said; a label is nothing to learn from here. */
export function readDocumentObject(value: Record<string, unknown>, line: number): RowOrProblem {
  const { messages, text } = value;
  if (!Array.isArray(messages)) return readDocument(text, line);
  const said = messages.map((message) => (isObject(message) ? contentText(message.content) : undefined));
  return readDocument(said.includes(undefined) ? undefined : said.join("\n"), line);
}

function readDocument(text: unknown, line: number): RowOrProblem {
  if (typeof text !== "string") return problem("missing_text", line);
  return text.trim() ? { line, text, label: "" } : problem("empty_text", line);
}

export function documentReader(header: readonly Buffer[], line: number): ReadRecord | Problem {
  const at = header.findIndex((name) => decodeUtf8(name)?.trim().toLowerCase() === "text");
  if (at < 0) return problem("missing_text", line, 'the header needs the column "text"');
  return (record, number) => {
    const text = decodeUtf8(record[at]!);
    return text === undefined ? problem("invalid_encoding", number) : readDocument(text, number);
  };
}
