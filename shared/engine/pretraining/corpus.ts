/** Texts to learn from, read line by line: JSONL `{"text"}`, one document a line, plain or gzipped. */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { hashName } from "../random.ts";
import { mix } from "../text/hashing.ts";

export interface TextFile {
  readonly path: string;
  /** The share of its documents that is read, in (0, 1]; which, depends on the documents alone. Default 1. */
  readonly share?: number;
}

/** A line is no such object; the message names the file and the line. */
export class CorpusError extends Error {
  override name = "CorpusError";
}

/** The documents of one file after the other; those without any letter are left out. */
export async function* readDocuments(files: readonly TextFile[]): AsyncGenerator<string> {
  for (const { path, share = 1 } of files) {
    for await (const record of readRecords(path)) {
      const { text } = record.value;
      if (typeof text !== "string") throw new CorpusError(`${path}, line ${record.line}: "text" must be a string`);
      if (/\p{L}/u.test(text) && shareOf(text) < share) yield text;
    }
  }
}

/** Lines `{"anchor", "positive"}` of texts that belong together. */
export async function* readPairs(paths: readonly string[]): AsyncGenerator<readonly [string, string]> {
  for (const path of paths) {
    for await (const { value, line } of readRecords(path)) {
      const { anchor, positive } = value;
      if (typeof anchor !== "string" || typeof positive !== "string") {
        throw new CorpusError(`${path}, line ${line}: "anchor" and "positive" must be strings`);
      }
      yield [anchor, positive];
    }
  }
}

/** Uniform in [0, 1), by the text. */
export function shareOf(text: string): number {
  return mix(hashName(text)) / 2 ** 32;
}

export interface JsonLine {
  readonly value: Record<string, unknown>;
  readonly line: number;
}

/** Each line's object and its number, from 1. */
export async function* readRecords(path: string): AsyncGenerator<JsonLine> {
  const bytes = createReadStream(path);
  const plain = path.endsWith(".gz") ? bytes.pipe(createGunzip()) : bytes;
  // A stream that fails does not end its reader by itself.
  bytes.once("error", (error) => plain.destroy(error));
  let line = 0;
  for await (const text of linesOf(plain)) {
    line++;
    if (text.trim() !== "") yield { value: parse(text, path, line), line };
  }
}

/** By line feeds alone: JSON may hold the other characters that some readers take for the end of a line. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest + decoder.decode();
}

function parse(text: string, path: string, line: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, with the place.
  }
  throw new CorpusError(`${path}, line ${line}: no JSON object`);
}
