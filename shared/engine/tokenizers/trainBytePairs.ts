/** A byte-level BPE vocabulary from a corpus, as GPT-2's (Radford et al. 2019): every text comes back as it went in. */
import { byteLetters, byteOf } from "./byteLetters.ts";
import { countWords, type Texts } from "./countWords.ts";
import { mergePairs, type SymbolWords } from "./mergePairs.ts";
import {
  addedTokens,
  config,
  numbered,
  requireRoom,
  type TrainedTokenizer,
  type VocabularyOptions,
} from "./trained.ts";

export interface BytePairOptions extends VocabularyOptions {
  /** They get the first ids. Default: `<|endoftext|>`. */
  readonly specialTokens?: readonly string[];
}

/** Words keep the space before them. */
export const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };

/** Same corpus, same bytes. Throws RangeError where `size` has no room for the special tokens and 256 bytes. */
export async function trainBytePairs(texts: Texts, options: BytePairOptions): Promise<TrainedTokenizer> {
  const { size, minFrequency = 2, specialTokens = ["<|endoftext|>"] } = options;
  requireRoom(options, specialTokens.length + 256);
  const counts = await countWords(texts, { normalizer: null, pre_tokenizer: byteLevel }, options);
  const { tokens, merges } = mergePairs(asSymbols(counts), {
    tokens: byteLetters,
    join: (first, second) => first + second,
    size: size - specialTokens.length,
    minFrequency,
  });
  const model = {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: numbered([...specialTokens, ...tokens]),
    merges,
  };
  const parts = { normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel };
  return { tokenizer: { version: "1.0", added_tokens: addedTokens(specialTokens), ...parts, model }, config };
}

/** Words by the bytes of their letters; those behind a word's first are `continuing` higher. */
export function asSymbols(counts: ReadonlyMap<string, number>, continuing = 0): SymbolWords {
  const starts = new Int32Array(counts.size + 1);
  let [word, length] = [0, 0];
  for (const letters of counts.keys()) {
    length += letters.length;
    starts[++word] = length;
  }
  const symbols = new Int32Array(length);
  let at = 0;
  for (const letters of counts.keys()) {
    for (let i = 0; i < letters.length; i++) symbols[at++] = byteOf.get(letters[i]!)! + (i > 0 ? continuing : 0);
  }
  return { symbols, starts, counts: Float64Array.from(counts.values()) };
}
