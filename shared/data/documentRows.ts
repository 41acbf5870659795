/**
 * Texts to learn from alone: JSONL `{text}` or chat `{messages}`, a column `text`, or the lines of a plain text. A `label`
 * may stand beside a text, for models that learn from others to be judged by.
 */
import { decodeUtf8, splitLines } from "./lines.ts";
import { type Problem, problem } from "./problems.ts";
import { contentText, isObject, labelled, type RowOrProblem } from "./row.ts";
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

/** Of a conversation all that was said. */
export function readDocumentObject(value: Record<string, unknown>, line: number): RowOrProblem {
  const { messages, text, label } = value;
  if (!Array.isArray(messages)) return readDocument(text, label, line);
  const said = messages.map((message) => (isObject(message) ? contentText(message.content) : undefined));
  return readDocument(said.includes(undefined) ? undefined : said.join("\n"), label, line);
}

function readDocument(text: unknown, label: unknown, line: number): RowOrProblem {
  if (typeof text !== "string") return problem("missing_text", line);
  if (!text.trim()) return problem("empty_text", line);
  const isUnlabelled = label === undefined || label === null || label === "";
  return isUnlabelled ? { line, text, label: "" } : labelled({ line, text }, label);
}

export function documentReader(header: readonly Buffer[], line: number): ReadRecord | Problem {
  const names = header.map((name) => decodeUtf8(name)?.trim().toLowerCase());
  const [textAt, labelAt] = [names.indexOf("text"), names.indexOf("label")];
  if (textAt < 0) return problem("missing_text", line, 'the header needs the column "text"');
  return (record, number) => {
    const [text, label] = [decodeUtf8(record[textAt]!), labelAt < 0 ? "" : decodeUtf8(record[labelAt]!)];
    return text === undefined || label === undefined
      ? problem("invalid_encoding", number)
      : readDocument(text, label, number);
  };
}
