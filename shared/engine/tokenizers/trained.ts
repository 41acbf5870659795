/** What the training of a vocabulary gives, and how it is written for whoever encodes with it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CountOptions } from "./countWords.ts";
import { huggingFaceTokenizer } from "./huggingFace.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface VocabularyOptions extends CountOptions {
  /** Tokens in all, special ones included. A small corpus may not fill it. */
  readonly size: number;
  /** How often something must occur to become a token. Default 2. */
  readonly minFrequency?: number;
}

/** The contents of `tokenizer.json` and `tokenizer_config.json`. */
export interface TrainedTokenizer {
  readonly tokenizer: object;
  readonly config: object;
}

/** Decoding must not tidy spaces before punctuation: they may have been in the text. */
export const config = { clean_up_tokenization_spaces: false };

/** Writes both files, which `readTokenizer` and `transformers` read. */
export async function writeTokenizer(directory: string, trained: TrainedTokenizer): Promise<void> {
  await writeFile(join(directory, "tokenizer.json"), JSON.stringify(trained.tokenizer));
  await writeFile(join(directory, "tokenizer_config.json"), JSON.stringify(trained.config));
}

/** The tokenizer itself, without files. */
export function trainedTokenizer({ tokenizer, config: settings }: TrainedTokenizer): Tokenizer {
  return huggingFaceTokenizer(tokenizer, settings, "tokenizer.json");
}

export function addedTokens(special: readonly string[]): object[] {
  return special.map((content, id) => {
    return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  });
}

/** Ids by token, in order. */
export function numbered(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/** Throws RangeError where a vocabulary cannot hold what it must. */
export function requireRoom({ size, minFrequency = 2 }: VocabularyOptions, atLeast: number): void {
  if (!Number.isSafeInteger(size) || size < atLeast || size >= 2 ** 26) {
    throw new RangeError(`size must be an integer from ${atLeast} (special tokens and bytes) up to 2^26, not ${size}`);
  }
  if (!(minFrequency >= 1)) throw new RangeError(`minFrequency must be at least 1, not ${minFrequency}`);
}
