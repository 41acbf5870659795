/** Turns text of any script into hashed word and character n-grams. */

import { BucketIndex, combine, hashText, mix } from "./hashing.ts";
import { tokenize } from "./tokens.ts";

/** Distinct features of one text in order of first occurrence. */
export interface NgramBag {
  /** 32-bit feature hashes. The lowest bit tells the block: 0 word n-gram, 1 character n-gram. */
  readonly buckets: Uint32Array;
  /** Occurrences of each bucket in the text, at least 1; same length as `buckets`. */
  readonly counts: Float32Array;
  /** Words, ideographs and symbols read. */
  readonly tokens: number;
}

const WORD_ORDERS = 3;
const CHARACTER_ORDERS = [2, 3, 4];

const START = hashText("\u0002");
const END = hashText("\u0003");

/**
 * Word n-grams of orders 1 to 3 over words, single ideographs and single symbols, the first and the last token also
 * paired with a boundary; character n-grams of orders 2 to 4 inside each `<word>`, which survive typos and inflection
 * (the "char_wb" analyzer of scikit-learn, and the subwords of Bojanowski et al. 2017, https://arxiv.org/abs/1607.04606).
 */
export function ngrams(text: string): NgramBag {
  const tokens: number[] = [];
  const features: number[] = [];
  for (const token of tokenize(text)) {
    tokens.push(hashText(token.text));
    if (token.isWord) pushCharacterNgrams(features, token.text);
  }
  pushWordNgrams(features, tokens);
  return { ...countDistinct(features), tokens: tokens.length };
}

function pushWordNgrams(features: number[], tokens: readonly number[]): void {
  for (let start = 0; start < tokens.length; start++) {
    let hash = 0;
    for (let order = 1; order <= WORD_ORDERS && start + order <= tokens.length; order++) {
      hash = combine(hash, tokens[start + order - 1]!);
      features.push(wordBucket(hash));
    }
  }
  const first = tokens[0] ?? END;
  const last = tokens.at(-1) ?? START;
  features.push(wordBucket(combine(combine(0, START), first)), wordBucket(combine(combine(0, last), END)));
}

/** An n-gram where it stands: from its first token to its last, which is included. */
export interface NgramPlace {
  readonly bucket: number;
  readonly first: number;
  readonly last: number;
}

/** What `ngrams` counts, one by one. */
export function ngramPlaces(text: string): NgramPlace[] {
  const places: NgramPlace[] = [];
  const tokens: number[] = [];
  for (const token of tokenize(text)) {
    const at = tokens.push(hashText(token.text)) - 1;
    const features: number[] = [];
    if (token.isWord) pushCharacterNgrams(features, token.text);
    for (const bucket of features) places.push({ bucket, first: at, last: at });
  }
  const features: number[] = [];
  pushWordNgrams(features, tokens);
  const end = Math.max(0, tokens.length - 1);
  const spans = tokens.flatMap((_, first) => {
    return Array.from({ length: Math.min(WORD_ORDERS, tokens.length - first) }, (_, i) => ({ first, last: first + i }));
  });
  for (const [i, span] of [...spans, { first: 0, last: 0 }, { first: end, last: end }].entries()) {
    places.push({ bucket: features[i]!, ...span });
  }
  return places;
}

function pushCharacterNgrams(features: number[], word: string): void {
  const characters = Array.from(`<${word}>`, (character) => character.codePointAt(0)!);
  for (const order of CHARACTER_ORDERS) {
    for (let start = 0; start + order <= characters.length; start++) {
      let hash = order;
      for (let i = start; i < start + order; i++) hash = combine(hash, characters[i]!);
      features.push((mix(hash) | 1) >>> 0);
    }
  }
}

function wordBucket(hash: number): number {
  return (mix(hash) & ~1) >>> 0;
}

function countDistinct(features: readonly number[]): Pick<NgramBag, "buckets" | "counts"> {
  const index = new BucketIndex(features.length);
  const counts = new Float32Array(features.length);
  for (const bucket of features) counts[index.insert(bucket)]! += 1;
  return { buckets: index.keys.slice(), counts: counts.slice(0, index.size) };
}
