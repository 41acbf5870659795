/** A checkpoint's tokenizer, from whichever of the usual files lies in its directory. */
import { CheckpointError } from "../weights/checkpointConfig.ts";
import { parseJsonObject, readIfPresent } from "../weights/checkpointFiles.ts";
import { huggingFaceTokenizer } from "./huggingFace.ts";
import { scoredBpe } from "./scoredBpe.ts";
import { wordPiece } from "./wordPiece.ts";

export interface EncodedText {
  readonly input_ids: readonly number[];
  /** As long as `input_ids`: 0 for the first text, 1 for the second. */
  readonly token_type_ids: readonly number[];
}

export interface Tokenizer {
  /** A text, or a pair of them, with the special tokens its model was trained with. Throws where pairs are not known. */
  encode(text: string, pair?: string): EncodedText;
  /** Ids of a text that brings its special tokens itself, as a rendered conversation does. */
  encodeBare(text: string): readonly number[];
  /** The text of some ids, without special tokens. */
  decode(ids: readonly number[]): string;
  /** The id of a token as it is written in the vocabulary. */
  idOf(token: string): number | undefined;
}

/**
 * Reads `tokenizer.json`, in the form of Hugging Face or of llama2.c, or else `vocab.txt`, a WordPiece vocabulary; with
 * `tokenizer_config.json` where there is one. Throws CheckpointError naming the file.
 */
export async function readTokenizer(directory: string): Promise<Tokenizer> {
  const settings = await readIfPresent(directory, "tokenizer_config.json");
  const config = settings ? parseJsonObject(settings, "tokenizer_config.json") : {};
  const json = await readIfPresent(directory, "tokenizer.json");
  if (json) return fromJson(parseJsonObject(json, "tokenizer.json"), config);
  const vocabulary = await readIfPresent(directory, "vocab.txt");
  if (vocabulary) return huggingFaceTokenizer(wordPiece(vocabulary.toString(), config), config, "vocab.txt");
  throw new CheckpointError("neither tokenizer.json nor vocab.txt is there");
}

function fromJson(content: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  const scored = typeof content.type === "string" && content.type.startsWith("llama2.c");
  return scored ? scoredBpe(content) : huggingFaceTokenizer(content, config, "tokenizer.json");
}
