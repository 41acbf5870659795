/** BERT's tokenizer from a bare vocabulary, `vocab.txt`: one token a line, its id the line's number from 0. */
import { CheckpointError } from "../weights/checkpointConfig.ts";

const specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/**
 * What `tokenizer.json` would say, as transformers converts BertTokenizer:
 * https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/convert_slow_tokenizer.py
 * `do_lower_case`, `tokenize_chinese_chars` (default true) and `strip_accents` are read from the configuration. Throws
 * CheckpointError where a special token is missing.
 */
export function wordPiece(lines: string, config: Readonly<Record<string, unknown>>): object {
  const { do_lower_case = true, tokenize_chinese_chars = true, strip_accents = null } = config;
  const tokens = lines.split(/\r?\n/);
  if (tokens.at(-1) === "") tokens.pop();
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const missing = specialTokens.find((token) => vocab[token] === undefined);
  if (missing) throw new CheckpointError(`vocab.txt has no token ${missing}`);
  return {
    version: "1.0",
    added_tokens: specialTokens.map((content) => ({ id: vocab[content], content, special: true, normalized: false })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: tokenize_chinese_chars,
      strip_accents,
      lowercase: do_lower_case,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: ["[SEP]", vocab["[SEP]"]], cls: ["[CLS]", vocab["[CLS]"]] },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
