/** Tokenizers described by a Hugging Face `tokenizer.json`. */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { CheckpointError } from "../weights/checkpointConfig.ts";
import { isObject } from "../weights/checkpointFiles.ts";
import type { Tokenizer } from "./tokenizer.ts";

// Spaces before punctuation may have been meant, and text that is read as it comes must not change behind the reader.
const decoding = { skip_special_tokens: true, clean_up_tokenization_spaces: false };

/**
 * From the content of `tokenizer.json` and `tokenizer_config.json`. Throws CheckpointError naming `file` where it
 * describes what the library does not know.
 */
export function huggingFaceTokenizer(content: object, config: object, file: string): Tokenizer {
  const library = create(content, config, file);
  return {
    encode(text, pair) {
      const options = { return_token_type_ids: true, ...(pair !== undefined && { text_pair: pair }) } as const;
      const { ids, token_type_ids } = library.encode(text, options);
      return { input_ids: ids, token_type_ids };
    },
    encodeBare: (text) => library.encode(text, { add_special_tokens: false }).ids,
    decode: (ids) => (ids.length === 0 ? "" : library.decode([...ids], decoding)),
    idOf: (token) => library.token_to_id(token),
  };
}

function create(content: object, config: object, file: string): Library {
  if (!("model" in content) || !isObject(content.model)) throw new CheckpointError(`${file} describes no model`);
  try {
    return new Library(content, config);
  } catch (cause) {
    throw new CheckpointError(`${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
