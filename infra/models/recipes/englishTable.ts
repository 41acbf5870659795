/** First vectors of the English base's tokens: GloVe's for words, fitted ones for pieces. */

import { hashName, normals } from "../../../shared/engine/index.ts";
import { byteOf } from "../../../shared/engine/tokenizers/byteLetters.ts";
import { trainedTokenizer } from "../../../shared/engine/tokenizers/trained.ts";
import { continuing, englishTokenizer } from "./englishVocabulary.ts";
import { inverseFrequency, type StaticVectors } from "./staticVectors.ts";

/** Words that the vectors lack or have for something else, by what they are read as. */
const readAs: Record<string, readonly string[]> = {
  "n't": ["not"],
  "'s": ["is"],
  "'m": ["am"],
  "'d": ["would"],
  "'re": ["are"],
  "'ve": ["have"],
  "'ll": ["will"],
  a: ["an"],
  i: ["me", "my", "we"],
  u: ["you"],
};

export interface TableSource {
  readonly tokens: readonly string[];
  readonly vectors: StaticVectors;
  /** By word, spelt in `byteLetters`. */
  readonly counts: ReadonlyMap<string, number>;
  readonly seed: number;
}

export interface FirstTable {
  /** [tokens, width]. */
  readonly table: Float32Array;
  /** Log probability by token. */
  readonly prior: Float32Array;
}

export function englishTable(source: TableSource): FirstTable {
  const { tokens, vectors, counts, seed } = source;
  const { width } = vectors;
  const places = new Map(vectors.words.map((word, row) => [word, row]));
  const probability = probabilities(counts, places);
  const scale = 1 / rootMeanSquare(vectors);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  // What means nothing yet is near nothing, and yet no two are alike.
  const table = normals(tokens.length * width, { seed, stream: hashName("table"), deviation: 0.02 });
  for (const [id, token] of tokens.entries()) {
    const rows = (readAs[spoken(token)] ?? [spoken(token)]).flatMap((word) => places.get(word) ?? []);
    if (rows.length === 0 || token.startsWith(continuing)) continue;
    const weight = (scale * inverseFrequency(probability(token))) / rows.length;
    for (let i = 0; i < width; i++) {
      table[id * width + i] = rows.reduce((sum, row) => sum + weight * vectors.data[row * width + i]!, 0);
    }
  }
  fitPieces(table, ids, source, scale);
  const prior = Float32Array.from(tokens, (token) => Math.log(probability(token)));
  return { table, prior };
}

/** A token's letters as text. */
function spoken(token: string): string {
  return Buffer.from(Array.from(token, (letter) => byteOf.get(letter) ?? 0)).toString();
}

/** A word's share of the corpora, and, where they are small, what its rank among the vectors says (Zipf). */
function probabilities(counts: ReadonlyMap<string, number>, places: ReadonlyMap<string, number>) {
  const total = counts.values().reduce((sum, count) => sum + count, 0);
  return (token: string) => {
    const byRank = 0.06 / ((places.get(spoken(token)) ?? 400_000) + 2.7);
    return 0.5 * ((counts.get(token) ?? 0) / total) + 0.5 * byRank;
  };
}

function rootMeanSquare({ data }: StaticVectors): number {
  const some = data.subarray(0, 5_000_000);
  return Math.sqrt(some.reduce((sum, value) => sum + value * value, 0) / some.length);
}

/** How far each piece moves to what a word of which it is a part still lacks. */
const rate = 0.25;

/**
 * Pieces that continue words get vectors whose sums come near the vectors of the words that have no row of their own:
 * Kaczmarz's method, two times over all of them.
 */
function fitPieces(
  table: Float32Array,
  ids: ReadonlyMap<string, number>,
  { tokens, vectors }: TableSource,
  scale: number,
) {
  const { width, words, data } = vectors;
  const tokenizer = trainedTokenizer(englishTokenizer(tokens));
  const split = words.map((word) => (ids.has(word) ? [] : tokenizer.encodeBare(word)));
  const isPiece = tokens.map((token) => token.startsWith(continuing));
  for (let round = 0; round < 2; round++) {
    for (const [row, parts] of split.entries()) {
      const free = parts.filter((id) => isPiece[id]);
      if (parts.length < 2 || parts.length > 4 || free.length === 0) continue;
      for (let i = 0; i < width; i++) {
        const made = parts.reduce((sum, id) => sum + table[id * width + i]!, 0);
        const step = (rate * (scale * data[row * width + i]! - made)) / free.length;
        for (const id of free) table[id * width + i]! += step;
      }
    }
  }
}
