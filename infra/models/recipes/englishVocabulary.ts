/** The English base's tokens: words as GloVe cuts them, and pieces of bytes for everything else. */
import { byteLetters } from "../../../shared/engine/tokenizers/byteLetters.ts";
import { trainWordPiece } from "../../../shared/engine/tokenizers/trainWordPiece.ts";

export const specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
export const continuing = "##";

// As the Stanford tokenizer, which GloVe was counted with, "n't" and the endings of contractions are words.
const wordPattern =
  "[\\p{L}\\p{M}]+(?=n't(?!\\p{L}))|n't(?!\\p{L})|'(?:s|m|d|re|ve|ll)(?!\\p{L})|[\\p{L}\\p{M}]+|\\p{N}{1,4}|[^\\s\\p{L}\\p{M}\\p{N}]";
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
// A longer word would be unknown, and matching takes time that grows with the square of its length.
const longestWord = 100;

/** Of the file; words without spaces between them are cut by the table alone. */
export const englishRules = {
  normalizer: {
    type: "Sequence",
    normalizers: [{ type: "NFKC" }, { type: "Lowercase" }, { type: "Replace", pattern: { String: "’" }, content: "'" }],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: wordPattern }, behavior: "Removed", invert: true },
      byteLevel,
      { type: "Split", pattern: { Regex: `[\\s\\S]{1,${longestWord}}` }, behavior: "Isolated", invert: false },
    ],
  },
};

export interface WordCounts {
  /** By word, spelt in `byteLetters`. */
  readonly counts: ReadonlyMap<string, number>;
  /** The words of the static vectors, most frequent first, spelt likewise. */
  readonly known: readonly string[];
  /** Words in all. */
  readonly size: number;
  readonly pieces: number;
}

/**
 * Tokens in the order of their ids: special ones, each byte as a word and behind one, pieces that continue a word, and
 * words: those the corpora have often, and then the others by the vectors' order.
 */
export async function englishTokens({ counts, known, size, pieces }: WordCounts): Promise<string[]> {
  const tokens = new Set([...specialTokens, ...byteLetters, ...byteLetters.map((letter) => continuing + letter)]);
  const isKnown = new Set(known);
  for (const piece of await continuations(known, pieces)) tokens.add(piece);
  const frequent = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  // Of what has no vector only words that many texts have are worth a row.
  for (const [word, count] of frequent) {
    if (tokens.size >= size) break;
    if (count >= (isKnown.has(word) ? 3 : 25)) tokens.add(word);
  }
  for (const word of known) {
    if (tokens.size >= size) break;
    tokens.add(word);
  }
  return [...tokens];
}

/** Pieces that many words have in common, of all but their beginnings. */
async function continuations(words: readonly string[], count: number): Promise<string[]> {
  const { tokenizer } = await trainWordPiece(words, { size: 3 * count + 600, minFrequency: 20 });
  const { vocab } = (tokenizer as { model: { vocab: Record<string, number> } }).model;
  return Object.keys(vocab)
    .filter((token) => token.startsWith(continuing) && token.length > 3)
    .slice(0, count);
}

/** The contents of `tokenizer.json` and `tokenizer_config.json`. */
export function englishTokenizer(tokens: readonly string[]) {
  const ids = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const special = (content: string, id: number) => ({
    ...{ id, content, special: true, normalized: false, lstrip: false, rstrip: false, single_word: false },
  });
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: specialTokens.map(special),
      ...englishRules,
      post_processor: aroundTexts(ids),
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "WordPiece", prefix: continuing, cleanup: false },
          { type: "Replace", pattern: { String: " " }, content: byteLetters[32] },
          { type: "Fuse" },
          byteLevel,
        ],
      },
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: continuing,
        max_input_chars_per_word: longestWord,
        vocab: ids,
      },
    },
    config: tokenizerConfig,
  };
}

export const tokenizerConfig = {
  tokenizer_class: "PreTrainedTokenizerFast",
  clean_up_tokenization_spaces: false,
  model_max_length: 256,
  ...{ pad_token: "[PAD]", unk_token: "[UNK]", cls_token: "[CLS]", sep_token: "[SEP]", mask_token: "[MASK]" },
};

/** [CLS] text [SEP], and of a pair the second with segment 1. */
export function aroundTexts(ids: Readonly<Record<string, number>>): object {
  const token = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
  const text = (id: "A" | "B", type_id: number) => ({ Sequence: { id, type_id } });
  const single = [token("[CLS]"), text("A", 0), token("[SEP]")];
  const named = (id: string) => [id, { id, ids: [ids[id]!], tokens: [id] }] as const;
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, text("B", 1), token("[SEP]", 1)],
    special_tokens: Object.fromEntries([named("[CLS]"), named("[SEP]")]),
  };
}
