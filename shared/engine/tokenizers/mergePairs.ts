/**
 * Byte-pair encoding's training (Sennrich et al. 2016): the commonest pair of neighbours becomes one symbol, again and
 * again. Counts are kept by pair, and only words that hold the pair are visited.
 */
import { PairQueue } from "./pairQueue.ts";

export interface SymbolWords {
  /** Symbols of all words in a row; overwritten as pairs merge. */
  readonly symbols: Int32Array;
  /** Where each word begins in `symbols`, and at the end where the last one ends. */
  readonly starts: Int32Array;
  /** How often each word occurs. */
  readonly counts: Float64Array;
}

export interface MergeOptions {
  /** The symbols there are at first, by number. */
  readonly tokens: readonly string[];
  /** How two symbols are written as one. */
  readonly join: (first: string, second: string) => string;
  /** How many symbols there shall be; fewer where pairs run out. */
  readonly size: number;
  /** A pair that occurs less often is not merged. */
  readonly minFrequency: number;
}

export interface Merges {
  readonly tokens: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

// Symbols are numbered below 2^26, so that a pair is an exact float64.
const radix = 2 ** 26;

/** Ties go to the pair whose symbols came first. */
export function mergePairs(words: SymbolWords, { tokens: first, join, size, minFrequency }: MergeOptions): Merges {
  const tokens = [...first];
  const numbers = new Map(tokens.map((token, number) => [token, number]));
  const merges: [string, string][] = [];
  const table = new PairTable(words);
  const queue = new PairQueue();
  const offer = (pair: number) => {
    const count = table.count(pair);
    if (count >= minFrequency) queue.push(count, pair);
  };
  for (const pair of table.pairs()) offer(pair);
  while (tokens.length < size) {
    const next = queue.pop();
    if (!next) break;
    // A count that fell since the pair was queued: it stands further back.
    if (table.count(next.pair) !== next.count) {
      offer(next.pair);
      continue;
    }
    const [a, b] = [Math.floor(next.pair / radix), next.pair % radix];
    const joined = join(tokens[a]!, tokens[b]!);
    // "a" + "bc" and "ab" + "c" are one token.
    const number = numbers.get(joined) ?? tokens.push(joined) - 1;
    numbers.set(joined, number);
    merges.push([tokens[a]!, tokens[b]!]);
    for (const pair of table.merge(a, b, number)) offer(pair);
  }
  return { tokens, merges };
}

/** How often each pair of neighbours occurs, and in which words. */
class PairTable {
  readonly #words: SymbolWords;
  readonly #lengths: Int32Array;
  readonly #counts = new Map<number, number>();
  /** Words that held the pair when they were entered; one may be listed twice, or hold it no more. */
  readonly #places = new Map<number, number[]>();

  constructor(words: SymbolWords) {
    const { symbols, starts, counts } = words;
    this.#words = words;
    this.#lengths = Int32Array.from(counts, (_, word) => starts[word + 1]! - starts[word]!);
    for (let word = 0; word < counts.length; word++) {
      for (let at = starts[word]!; at + 1 < starts[word + 1]!; at++) this.#add(symbols[at]!, symbols[at + 1]!, word);
    }
  }

  pairs(): Iterable<number> {
    return this.#counts.keys();
  }

  count(pair: number): number {
    return this.#counts.get(pair) ?? 0;
  }

  /** Writes `joined` for each a b, and returns the pairs that came to be. */
  merge(a: number, b: number, joined: number): Set<number> {
    const pair = a * radix + b;
    const places = this.#places.get(pair) ?? [];
    this.#places.delete(pair);
    const grown = new Set<number>();
    for (const word of places) this.#mergeIn(word, [a, b, joined], grown);
    this.#counts.delete(pair);
    return grown;
  }

  #mergeIn(word: number, [a, b, joined]: readonly [number, number, number], grown: Set<number>): void {
    const { symbols, starts } = this.#words;
    const start = starts[word]!;
    const end = start + this.#lengths[word]!;
    let write = start;
    for (let read = start; read < end; read++) {
      if (symbols[read] !== a || read + 1 >= end || symbols[read + 1] !== b) {
        symbols[write++] = symbols[read]!;
        continue;
      }
      if (write > start) {
        this.#remove(symbols[write - 1]!, a, word);
        grown.add(this.#add(symbols[write - 1]!, joined, word));
      }
      if (read + 2 < end) {
        this.#remove(b, symbols[read + 2]!, word);
        grown.add(this.#add(joined, symbols[read + 2]!, word));
      }
      symbols[write++] = joined;
      read++;
    }
    this.#lengths[word] = write - start;
  }

  #add(a: number, b: number, word: number): number {
    const pair = a * radix + b;
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + this.#words.counts[word]!);
    const places = this.#places.get(pair);
    if (!places) this.#places.set(pair, [word]);
    else if (places.at(-1) !== word) places.push(word);
    return pair;
  }

  #remove(a: number, b: number, word: number): void {
    const pair = a * radix + b;
    this.#counts.set(pair, this.#counts.get(pair)! - this.#words.counts[word]!);
  }
}
