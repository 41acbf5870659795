/** From files of text to what a run learns from and is judged by: without repeats, in tokens, some documents held out. */
import { hash } from "node:crypto";
import { join } from "node:path";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { readDocuments, readPairs, shareOf, type TextFile } from "./corpus.ts";
import { encodePassages, keepPassages, keptPassages, type Passages, sentencesOf } from "./passages.ts";
import { findRepeats } from "./repeats.ts";

export interface CorpusReport {
  /** Documents read. */
  documents: number;
  /** Of which repeat an earlier one word for word, save for case and spacing, and of which nearly. */
  duplicates: number;
  nearDuplicates: number;
  /** Documents that nothing is learned from. */
  heldOut: number;
  /** Tokens to learn from. */
  tokens: number;
}

export interface Material {
  readonly train: Passages;
  readonly held: Passages;
  readonly pairs: Passages;
  readonly report: CorpusReport;
}

export interface MaterialRequest {
  readonly textFiles: readonly TextFile[];
  readonly pairFiles: readonly string[];
  /** Where tokens are kept: a run that goes on reads them there. */
  readonly directory: string;
  /** The most tokens of a sentence. */
  readonly longest: number;
  /** Whether documents are cut into sentences, which lose what stands between them; a model that writes must see that. */
  readonly sentences: boolean;
}

/** The share of documents that are held out; at least one of several. */
const heldShare = 0.02;
const mostHeld = 1000;

/** Throws CorpusError naming the line at fault, RangeError where nothing is left to learn from. */
export async function prepareMaterial(request: MaterialRequest, tokenizer: Tokenizer): Promise<Material> {
  const { textFiles, pairFiles, longest, sentences } = request;
  const source = hash("sha256", JSON.stringify({ textFiles, pairFiles, longest, sentences }));
  const partsOf = (text: string) => (sentences ? sentencesOf(text) : [text]);
  const place = (name: string) => join(request.directory, `${name}.safetensors`);
  const kept = (name: string) => keptPassages(place(name), source);
  const parts = [kept("train"), kept("held"), kept("pairs")] as const;
  const report = keptReport(kept("report"));
  if (parts[0] && parts[1] && parts[2] && report) {
    return { train: parts[0], held: parts[1], pairs: parts[2], report };
  }
  const documents = await Array.fromAsync(readDocuments(textFiles));
  const repeats = findRepeats(documents);
  const left = documents.filter((_, number) => !repeats.drop.has(number));
  if (left.length === 0) throw new RangeError("the files hold no text to learn from");
  const isHeld = heldOut(left);
  const encode = (texts: readonly (readonly string[])[]) => encodePassages(texts, tokenizer, longest);
  const train = encode(left.filter((text) => !isHeld.has(text)).map(partsOf));
  const held = encode([...isHeld].map(partsOf));
  const pairs = encode(await Array.fromAsync(readPairs(pairFiles)));
  const found: CorpusReport = {
    documents: documents.length,
    duplicates: repeats.exact,
    nearDuplicates: repeats.near,
    heldOut: isHeld.size,
    tokens: train.ids.length,
  };
  for (const [name, passages] of Object.entries({ train, held, pairs, report: reportPassages(found) })) {
    keepPassages(place(name), passages, source);
  }
  return { train, held, pairs, report: found };
}

/** The documents whose hash is least, in the order of it. */
function heldOut(documents: readonly string[]): Set<string> {
  const count = Math.min(mostHeld, documents.length - 1, Math.max(1, Math.floor(heldShare * documents.length)));
  const ranked = documents.map((text) => ({ text, share: shareOf(`held out: ${text}`) }));
  ranked.sort((a, b) => a.share - b.share);
  return new Set(ranked.slice(0, count).map(({ text }) => text));
}

const reportFields = ["documents", "duplicates", "nearDuplicates", "heldOut", "tokens"] as const;

function reportPassages(report: CorpusReport): Passages {
  const none = new Int32Array(0);
  return { ids: Int32Array.from(reportFields, (field) => report[field]), starts: none, documents: none };
}

function keptReport(kept: Passages | undefined): CorpusReport | undefined {
  return kept && (Object.fromEntries(reportFields.map((field, i) => [field, kept.ids[i]!])) as unknown as CorpusReport);
}
