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
   * How many letters (bytes) different words may have together: what bounds memory, and the time of training. When they
   * have more, the rarer half is forgotten; among equals a hash chooses, so that no part of the corpus is preferred. Default
   * 8,000,000, for which training takes some 750 MB.
   */
  readonly maxLetters?: number;
}

const maxRemembered = 50_000;
const longestRemembered = 40;

/** Counts by word, spelt in `byteLetters`. The library that will encode texts cuts them into words here too. */
export async function countWords(
  texts: Texts,
  rules: WordRules,
  { maxLetters = 8_000_000 }: CountOptions = {},
): Promise<Map<string, number>> {
  if (!(maxLetters >= 1)) throw new RangeError(`maxLetters must be at least 1, not ${maxLetters}`);
  const wordsOf = remembered(splitter(rules));
  let counts = new Map<string, number>();
  let letters = 0;
  for await (const text of texts) {
    for (const [chunk] of text.matchAll(/\s*\S+|\s+$/g)) {
      for (const word of wordsOf(chunk)) {
        const count = counts.get(word);
        counts.set(word, (count ?? 0) + 1);
        if (count === undefined) letters += word.length;
      }
      if (letters > maxLetters) ({ counts, letters } = commonest(counts, maxLetters / 2));
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

function commonest(counts: ReadonlyMap<string, number>, mostLetters: number) {
  const ranked = Array.from(counts, ([word, count]) => ({ word, count, hash: hashName(word) }));
  ranked.sort((a, b) => b.count - a.count || a.hash - b.hash || (a.word < b.word ? -1 : 1));
  const kept = new Map<string, number>();
  let letters = 0;
  for (const { word, count } of ranked) {
    if (letters + word.length > mostLetters) break;
    kept.set(word, count);
    letters += word.length;
  }
  return { counts: kept, letters };
}
