/**
 * A WordPiece vocabulary from a corpus, by pair counts as Hugging Face's trainer does it, over bytes: words are cut as
 * BERT cuts them, and no script is unknown.
 */
import { byteLetters } from "./byteLetters.ts";
import { countWords, type Texts } from "./countWords.ts";
import { mergePairs } from "./mergePairs.ts";
import { asSymbols } from "./trainBytePairs.ts";
import {
  addedTokens,
  config,
  numbered,
  requireRoom,
  type TrainedTokenizer,
  type VocabularyOptions,
} from "./trained.ts";

export interface WordPieceOptions extends VocabularyOptions {
  /** Whether letters lose their case. Default true. */
  readonly lowercase?: boolean;
  /**
   * Whether combining marks are dropped. Default false, unlike BERT's own: it takes vowels from Hindi and Thai and cuts
   * Korean syllables up.
   */
  readonly stripAccents?: boolean;
}

const specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const prefix = "##";
// A word of more letters would be one unknown token, and matching takes time that grows with the square of its length:
// writing without spaces is cut.
const longestWord = 100;

const preTokenizer = {
  type: "Sequence",
  pretokenizers: [
    { type: "BertPreTokenizer" },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    { type: "Split", pattern: { Regex: `[\\s\\S]{1,${longestWord}}` }, behavior: "Isolated", invert: false },
  ],
};

const decoder = {
  type: "Sequence",
  decoders: [
    { type: "WordPiece", prefix, cleanup: false },
    // The space between words as a byte's letter: what follows reads nothing else.
    { type: "Replace", pattern: { String: " " }, content: byteLetters[32] },
    { type: "Fuse" },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
};

/** Same corpus, same bytes. Throws RangeError where `size` has no room for the special tokens and twice 256 bytes. */
export async function trainWordPiece(texts: Texts, options: WordPieceOptions): Promise<TrainedTokenizer> {
  const { size, minFrequency = 2, lowercase = true, stripAccents = false } = options;
  requireRoom(options, specialTokens.length + 512);
  const normalizer = {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: stripAccents,
    lowercase,
  };
  const counts = await countWords(texts, { normalizer, pre_tokenizer: preTokenizer }, options);
  const { tokens } = mergePairs(asSymbols(counts, 256), {
    tokens: [...byteLetters, ...byteLetters.map((letter) => prefix + letter)],
    join: (first, second) => first + second.slice(prefix.length),
    size: size - specialTokens.length,
    minFrequency,
  });
  const model = {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: prefix,
    max_input_chars_per_word: longestWord,
    vocab: numbered([...specialTokens, ...tokens]),
  };
  const post_processor = { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] };
  const parts = { normalizer, pre_tokenizer: preTokenizer, post_processor, decoder };
  return { tokenizer: { version: "1.0", added_tokens: addedTokens(specialTokens), ...parts, model }, config };
}
