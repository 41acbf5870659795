/**
 * Documents that say again what an earlier one said, word for word or nearly: what is repeated is learned by heart. Near
 * ones are found by MinHash (Broder 1997), as one permutation with rotation (Shrivastava and Li 2014): one hash of each
 * shingle, whatever the number of bins; candidates are then compared exactly.
 */
import { createHash } from "node:crypto";
import { combine, hashText, mix } from "../text/hashing.ts";

const [bands, rows] = [32, 4];
const bins = bands * rows;
/** Shingles that two near repeats share, of all they have. */
const similar = 0.8;
/** Beyond so many characters shingles are of five words, of which there are fewer, and not of three characters. */
const longText = 400;
/** Documents with one key in a band that are compared with its first ones; beyond that a template is at work. */
const mostCompared = 8;

export interface Repeats {
  /** Documents to leave out, of each group all but the first: by number, the earlier one that each repeats. */
  readonly drop: ReadonlyMap<number, number>;
  readonly exact: number;
  readonly near: number;
}

/** As they were read, the documents' numbers being their places. */
export function findRepeats(documents: readonly string[]): Repeats {
  const drop = new Map<number, number>();
  const seen = new Map<string, number>();
  for (const [number, text] of documents.entries()) {
    const key = createHash("md5").update(normal(text)).digest("base64");
    const first = seen.get(key);
    if (first === undefined) seen.set(key, number);
    else drop.set(number, first);
  }
  const exact = drop.size;
  const others = Int32Array.from(documents.keys()).filter((number) => !drop.has(number));
  for (const [number, first] of nearRepeats(others, documents)) drop.set(number, first);
  return { drop, exact, near: drop.size - exact };
}

function nearRepeats(numbers: Int32Array, documents: readonly string[]): Map<number, number> {
  const signatures = new Uint32Array(numbers.length * bins);
  for (const [i, number] of numbers.entries()) {
    signatures.set(signatureOf(shinglesOf(documents[number]!)), i * bins);
  }
  const found = new Map<number, number>();
  for (let band = 0; band < bands; band++) {
    const firsts = new Map<number, number[]>();
    for (const [i, number] of numbers.entries()) {
      if (found.has(number)) continue;
      const at = i * bins + band * rows;
      // As many bits as a number holds exactly: two keys of all 128 would be a text.
      const key = keyOf(signatures.subarray(at, at + rows));
      const group = firsts.get(key);
      const near = group?.find((other) => isNear(other, i));
      if (!group) firsts.set(key, [i]);
      else if (near !== undefined) found.set(number, numbers[near]!);
      else if (group.length < mostCompared) group.push(i);
    }
  }
  return found;

  function isNear(a: number, b: number): boolean {
    let equal = 0;
    for (let bin = 0; bin < bins; bin++) equal += signatures[a * bins + bin] === signatures[b * bins + bin] ? 1 : 0;
    // Three standard deviations of the estimate below what is asked: the exact comparison is slow.
    if (equal / bins < similar - 3 * Math.sqrt((similar * (1 - similar)) / bins)) return false;
    return jaccard(shinglesOf(documents[numbers[a]!]!), shinglesOf(documents[numbers[b]!]!)) >= similar;
  }
}

function keyOf(values: Uint32Array): number {
  let [low, high] = [0, 1];
  for (const value of values) [low, high] = [combine(low, value), combine(high, value ^ 0x5bd1e995)];
  return mix(low) + (mix(high) & 0x1fffff) * 2 ** 32;
}

/** What two texts must share to be one: not case, spacing or invisible characters. */
function normal(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u200b-\u200d\ufeff]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Hashes of the pieces of a text, each once; a text shorter than a piece is one. */
function shinglesOf(document: string): Set<number> {
  const text = normal(document);
  const found = new Set<number>();
  if (text.length <= longText) {
    const padded = ` ${text} `;
    for (let at = 0; at + 3 <= padded.length; at++) found.add(hashText(padded, at, at + 3));
    if (found.size === 0) found.add(hashText(padded));
    return found;
  }
  const words = Array.from(text.matchAll(/[\p{L}\p{M}\p{N}]+/gu), ([word]) => word);
  // Writing without spaces has no words to speak of.
  if (words.length < text.length / 20) {
    for (let at = 0; at + 5 <= text.length; at++) found.add(hashText(text, at, at + 5));
    return found;
  }
  const hashes = words.map((word) => hashText(word));
  for (let at = 0; at + 5 <= hashes.length; at++) {
    found.add(hashes.slice(at, at + 5).reduce((hash, word) => combine(hash, word), 0));
  }
  if (found.size === 0) found.add(hashText(text));
  return found;
}

/** The least hash of each bin; an empty bin has that of the next one that is not, told apart by how far it lies. */
export function signatureOf(shingles: ReadonlySet<number>): Uint32Array {
  const empty = 0xffffffff;
  const least = new Uint32Array(bins).fill(empty);
  for (const shingle of shingles) {
    const hash = mix(shingle ^ 0x3c6ef372);
    const bin = hash % bins;
    const value = mix(combine(hash, 1)) >>> 1;
    if (value < least[bin]!) least[bin] = value;
  }
  return least.map((value, bin) => {
    let far = 0;
    while (least[(bin + far) % bins] === empty && far < bins) far++;
    return far === 0 ? value : combine(least[(bin + far) % bins]!, far) >>> 0;
  });
}

export function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let shared = 0;
  for (const value of a) shared += b.has(value) ? 1 : 0;
  return shared / (a.size + b.size - shared);
}
