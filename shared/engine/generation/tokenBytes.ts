/** The bytes that each token of a checkpoint's vocabulary stands for, whatever form its `tokenizer.json` has. */
import { byteOf } from "../tokenizers/byteLetters.ts";
import { isObject, parseJsonObject, readIfPresent } from "../weights/checkpointFiles.ts";

export interface Vocabulary {
  /** By id, as many as the model has; undefined for special tokens and for ids that the tokenizer does not use. */
  readonly bytes: readonly (Uint8Array | undefined)[];
  /** Whether a text's bytes are those of its tokens in a row: not where the tokenizer sets spaces between them. */
  readonly isExact: boolean;
}

type Spell = (token: string) => Uint8Array;

/** Throws CheckpointError for a file that is broken. */
export async function readVocabulary(directory: string, size: number): Promise<Vocabulary> {
  const json = await readIfPresent(directory, "tokenizer.json");
  const content = json ? parseJsonObject(json, "tokenizer.json") : undefined;
  if (!content) return words((await readIfPresent(directory, "vocab.txt"))?.toString().split(/\r?\n/) ?? [], size);
  if (Array.isArray(content.vocab)) return scored(content, content.vocab as string[], size);
  return fromHuggingFace(content, size);
}

function fromHuggingFace(content: Record<string, unknown>, size: number): Vocabulary {
  const model = isObject(content.model) ? content.model : {};
  const tokens = Array.isArray(model.vocab)
    ? (model.vocab as [string, number][]).map(([token], id) => [token, id] as const)
    : Object.entries((model.vocab ?? {}) as Record<string, number>);
  const decoders = JSON.stringify(content.decoder ?? null);
  const isWords = decoders.includes('"WordPiece"');
  const spell = decoders.includes('"ByteLevel"') ? spellLetters : isWords ? spellWord : spellPieces;
  const bytes = placed(
    tokens.map(([token, id]) => [id, spell(token)]),
    size,
  );
  for (const added of (content.added_tokens ?? []) as { id: number; content: string; special?: boolean }[]) {
    if (added.id < size) bytes[added.id] = added.special ? undefined : Buffer.from(added.content);
  }
  return { bytes, isExact: !isWords };
}

/** llama2.c's: tokens as they are, and one for each byte. */
function scored(content: Record<string, unknown>, tokens: readonly string[], size: number): Vocabulary {
  const {
    bos,
    eos,
    byte_fallback_offset: first,
  } = content as { bos: number; eos: number; byte_fallback_offset: number };
  const bytes = placed(
    tokens.map((token, id) => [id, Buffer.from(token)]),
    size,
  );
  for (let byte = 0; byte < 256; byte++) bytes[first + byte] = Uint8Array.of(byte);
  // Before them lie tokens that stand for no text.
  for (const id of [0, bos, eos]) bytes[id] = undefined;
  return { bytes, isExact: true };
}

function words(tokens: readonly string[], size: number): Vocabulary {
  const known = tokens.map((token, id) => [id, token] as const).filter(([, token]) => !/^\[[A-Z]+\]$|^$/.test(token));
  return {
    bytes: placed(
      known.map(([id, token]) => [id, spellWord(token)]),
      size,
    ),
    isExact: false,
  };
}

function placed(spelt: readonly (readonly [number, Uint8Array])[], size: number): (Uint8Array | undefined)[] {
  const bytes = Array<Uint8Array | undefined>(size).fill(undefined);
  for (const [id, spelling] of spelt) if (id < size) bytes[id] = spelling;
  return bytes;
}

/** GPT-2's: a letter for each byte. */
const spellLetters: Spell = (token) => {
  const found = Array.from(token, (letter) => byteOf.get(letter));
  return found.every((byte) => byte !== undefined) ? Uint8Array.from(found) : Buffer.from(token);
};

/** SentencePiece's: U+2581 for a space, and `<0x0A>` for a byte. */
const spellPieces: Spell = (token) => {
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
  return byte ? Uint8Array.of(Number.parseInt(byte, 16)) : Buffer.from(token.replaceAll("\u2581", " "));
};

/** WordPiece's: `##` for what goes on a word. */
const spellWord: Spell = (token) => Buffer.from(token.startsWith("##") ? token.slice(2) : ` ${token}`);
