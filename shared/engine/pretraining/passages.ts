/** A corpus as token ids: sentences, in documents, and the stretches of them that a model is shown. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { readSafetensors, writeSafetensors } from "../weights/safetensors.ts";

/** All sentences in a row, without special tokens. */
export interface Passages {
  readonly ids: Int32Array;
  /** Where each sentence begins in `ids`, and at last where the last one ends. */
  readonly starts: Int32Array;
  /** The document each sentence is of; those of one document follow each other. */
  readonly documents: Int32Array;
}

/** Sentences begin behind these marks, or on a line of their own. */
const sentenceEnd = /(?<=[.!?…]["'”’)\]]*)\s+|(?<=[。！？；…]["”’」』）]*)(?!["”’」』）。！？；…])|\s*\n\s*/u;

/** Never empty ones. */
export function sentencesOf(text: string): string[] {
  return text.split(sentenceEnd).filter((sentence) => /\S/u.test(sentence));
}

/** Documents given as the sentences of each. A sentence of more than `longest` tokens becomes several. */
export function encodePassages(
  documents: Iterable<readonly string[]>,
  tokenizer: Pick<Tokenizer, "encodeBare">,
  longest: number,
): Passages {
  const [ids, starts, owners] = [new Growing(), new Growing(), new Growing()];
  let document = 0;
  for (const sentences of documents) {
    for (const sentence of sentences) {
      const tokens = tokenizer.encodeBare(sentence.toWellFormed());
      for (let at = 0; at < tokens.length; at += longest) {
        starts.push(ids.length);
        owners.push(document);
        for (let i = at; i < Math.min(at + longest, tokens.length); i++) ids.push(tokens[i]!);
      }
    }
    document++;
  }
  starts.push(ids.length);
  return { ids: ids.values(), starts: starts.values(), documents: owners.values() };
}

/** Int32 values of a number not known before. */
class Growing {
  #data = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#data.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.length++] = value;
  }

  values(): Int32Array {
    return this.#data.slice(0, this.length);
  }
}

/** Where stretches begin and end in `ids`. */
export interface Stretches {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Sentences of a document that follow each other, as many as have at most `longest` tokens together. */
export function stretchesOf({ starts, documents }: Passages, longest: number): Stretches {
  const [begins, ends] = [new Growing(), new Growing()];
  for (let sentence = 0; sentence < documents.length; ) {
    const first = sentence++;
    while (documents[sentence] === documents[first] && starts[sentence + 1]! - starts[first]! <= longest) sentence++;
    begins.push(starts[first]!);
    ends.push(starts[sentence]!);
  }
  return { starts: begins.values(), ends: ends.values() };
}

/** The file appears whole or not at all. `source` says what it was made of. */
export function keepPassages(path: string, { ids, starts, documents }: Passages, source: string): void {
  const tensor = (data: Int32Array) => ({ shape: [data.length], data });
  const tensors = { ids: tensor(ids), starts: tensor(starts), documents: tensor(documents) };
  writeFileSync(`${path}.part`, writeSafetensors(tensors, { source }));
  renameSync(`${path}.part`, path);
}

/** Undefined where the file is absent or made of something else. */
export function keptPassages(path: string, source: string): Passages | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.source !== source) return undefined;
  const data = (name: string) => tensors.get(name)!.data as Int32Array;
  return { ids: data("ids"), starts: data("starts"), documents: data("documents") };
}
