/** How often each word of a corpus occurs: all that the training of a vocabulary needs to know of it. */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { hashName } from "../random.ts";

/** A corpus, text by text; it is read once. */
export type Texts = Iterable<string> | AsyncIterable<string>;

/** The parts of a `tokenizer.json` that decide what a word is. Both end at white space, whatever stands around it. */
export interface WordRules {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object;
}

export interface CountOptions {
  /**
   * How many different words are remembered. When they are more, the rarer half is forgotten; among equals a hash
   * chooses, so that no part of the corpus is preferred. Default 500,000: training takes some 150 MB for them where words
   * stand between spaces, and three times that where whole phrases do not.
   */
  readonly maxWords?: number;
}

const maxRemembered = 50_000;
const longestRemembered = 40;

/** Counts by word, spelt in `byteLetters`. The library that will encode texts cuts them into words here too. */
export async function countWords(
  texts: Texts,
  rules: WordRules,
  { maxWords = 500_000 }: CountOptions = {},
): Promise<Map<string, number>> {
  if (!(maxWords >= 2)) throw new RangeError(`maxWords must be at least 2, not ${maxWords}`);
  const wordsOf = remembered(splitter(rules));
  let counts = new Map<string, number>();
  for await (const text of texts) {
    for (const [chunk] of text.matchAll(/\s*\S+|\s+$/g)) {
      for (const word of wordsOf(chunk)) counts.set(word, (counts.get(word) ?? 0) + 1);
      if (counts.size > maxWords) counts = commonest(counts, Math.floor(maxWords / 2));
    }
  }
  return counts;
}

function splitter({ normalizer, pre_tokenizer }: WordRules): (text: string) => string[] {
  const model = { type: "WordPiece", vocab: { "": 0 }, unk_token: "" };
  const others = { post_processor: null, decoder: null, added_tokens: [] };
  const library = new Library({ normalizer, pre_tokenizer, model, ...others }, {});
  return (text) => library.pre_tokenizer!(library.normalizer ? library.normalizer(text) : text);
}

/** Normalising character by character is slow, and most chunks are common words. */
function remembered(split: (text: string) => string[]): (chunk: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (chunk) => {
    const found = known.get(chunk);
    if (found) return found;
    const words = split(chunk);
    if (chunk.length > longestRemembered) return words;
    if (known.size >= maxRemembered) known.clear();
    // A slice would keep the whole text it was cut from in memory; a copy does not.
    known.set(Buffer.from(chunk, "utf16le").toString("utf16le"), words);
    return words;
  };
}

function commonest(counts: ReadonlyMap<string, number>, keep: number): Map<string, number> {
  const ranked = Array.from(counts, ([word, count]) => ({ word, count, hash: hashName(word) }));
  ranked.sort((a, b) => b.count - a.count || a.hash - b.hash || (a.word < b.word ? -1 : 1));
  return new Map(ranked.slice(0, keep).map(({ word, count }) => [word, count]));
}
