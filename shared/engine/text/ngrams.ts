/** Turns text of any script into hashed n-grams of words, of characters, and of a dictionary's words. */

import { BucketIndex, combine, hashText, mix } from "./hashing.ts";
import { dictionaryWords, normalizeText, type Token, tokensOf } from "./tokens.ts";

/** Distinct features of one text in order of first occurrence. */
export interface NgramBag {
  /** 32-bit feature hashes. The lowest bit tells the block: 0 n-gram of tokens, 1 of what tells more than tokens do. */
  readonly buckets: Uint32Array;
  /** Occurrences of each bucket in the text, at least 1; same length as `buckets`. */
  readonly counts: Float32Array;
  /** Words, ideographs and symbols read. */
  readonly tokens: number;
}

/** An n-gram where it stands: from its first token to its last, which is included. */
export interface NgramPlace {
  readonly bucket: number;
  readonly first: number;
  readonly last: number;
}

const WORD_ORDERS = 3;
const CHARACTER_ORDERS = [2, 3, 4];

const START = hashText("\u0002");
const END = hashText("\u0003");
const DICTIONARY = hashText("\u0004");

/**
 * Word n-grams of orders 1 to 3 over words, single ideographs and single symbols, the first and the last token also
 * paired with a boundary; character n-grams of orders 2 to 4 inside each `<word>`, which survive typos and inflection
 * (the "char_wb" analyzer of scikit-learn, and the subwords of Bojanowski et al. 2017, https://arxiv.org/abs/1607.04606);
 * of scripts written without spaces a dictionary's words, and two in a row. Held-out rows of thucnews_titles: with those
 * words 86.3 % right for 85.9, 0.446 nats for 0.464; chnsenticorp_htl 90.5 for 90.4, 0.232 for 0.237.
 */
export function ngrams(text: string): NgramBag {
  const features: number[] = [];
  const tokens = visitNgrams(text, (bucket) => features.push(bucket));
  return { ...countDistinct(features), tokens };
}

/** What `ngrams` counts, one by one. */
export function ngramPlaces(text: string): NgramPlace[] {
  const places: NgramPlace[] = [];
  visitNgrams(text, (bucket, first, last) => places.push({ bucket, first, last }));
  return places;
}

type Visit = (bucket: number, first: number, last: number) => void;

/** Returns how many tokens the text has. */
function visitNgrams(text: string, visit: Visit): number {
  const normalized = normalizeText(text);
  const tokens = [...tokensOf(normalized)];
  for (const [at, token] of tokens.entries()) if (token.isWord) visitCharacterNgrams(token.text, at, visit);
  visitWordNgrams(tokens, visit);
  visitDictionaryWords(normalized, tokens, visit);
  return tokens.length;
}

function visitWordNgrams(tokens: readonly Token[], visit: Visit): void {
  const hashes = tokens.map((token) => hashText(token.text));
  for (let first = 0; first < hashes.length; first++) {
    let hash = 0;
    for (let last = first; last < Math.min(first + WORD_ORDERS, hashes.length); last++) {
      hash = combine(hash, hashes[last]!);
      visit(tokenBucket(hash), first, last);
    }
  }
  const end = Math.max(0, hashes.length - 1);
  visit(tokenBucket(combine(combine(0, START), hashes[0] ?? END)), 0, 0);
  visit(tokenBucket(combine(combine(0, hashes.at(-1) ?? START), END)), end, end);
}

function visitCharacterNgrams(word: string, at: number, visit: Visit): void {
  const characters = Array.from(`<${word}>`, (character) => character.codePointAt(0)!);
  for (const order of CHARACTER_ORDERS) {
    for (let start = 0; start + order <= characters.length; start++) {
      let hash = order;
      for (let i = start; i < start + order; i++) hash = combine(hash, characters[i]!);
      visit(otherBucket(hash), at, at);
    }
  }
}

function visitDictionaryWords(normalized: string, tokens: readonly Token[], visit: Visit): void {
  let token = 0;
  const tokenAt = (place: number) => {
    while (token + 1 < tokens.length && tokens[token + 1]!.start <= place) token++;
    return token;
  };
  let before = { hash: 0, first: 0, end: -1 };
  for (const { text, start } of dictionaryWords(normalized)) {
    const word = hashText(text);
    const hash = combine(DICTIONARY, word);
    const end = start + text.length;
    const first = tokenAt(start);
    const last = tokenAt(end - 1);
    visit(otherBucket(hash), first, last);
    if (before.end === start) visit(otherBucket(combine(before.hash, word)), before.first, last);
    before = { hash, first, end };
  }
}

function tokenBucket(hash: number): number {
  return (mix(hash) & ~1) >>> 0;
}

function otherBucket(hash: number): number {
  return (mix(hash) | 1) >>> 0;
}

function countDistinct(features: readonly number[]): Pick<NgramBag, "buckets" | "counts"> {
  const index = new BucketIndex(features.length);
  const counts = new Float32Array(features.length);
  for (const bucket of features) counts[index.insert(bucket)]! += 1;
  return { buckets: index.keys.slice(), counts: counts.slice(0, index.size) };
}
