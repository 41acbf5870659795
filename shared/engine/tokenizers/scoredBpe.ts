/**
 * The byte-pair encoding of llama2.c, whose merges are ranked by the score of what they make.
 * Reference: `encode` and `decode` of https://github.com/karpathy/llama2.c/blob/master/run.c
 */
import { CheckpointError } from "../weights/checkpointConfig.ts";
import type { Tokenizer } from "./tokenizer.ts";

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  readonly ids: ReadonlyMap<string, number>;
  /** The token of byte 0; the others follow. */
  readonly firstByte: number;
}

/** From `{ vocab, scores, bos, eos, byte_fallback_offset }`. Throws CheckpointError naming the field at fault. */
export function scoredBpe(content: Readonly<Record<string, unknown>>): Tokenizer {
  const { vocab, scores, bos, eos, byte_fallback_offset: firstByte } = content;
  const isList = (value: unknown, type: string): boolean =>
    Array.isArray(value) && value.every((item) => typeof item === type);
  const wrong = [
    !isList(vocab, "string") && "vocab",
    (!isList(scores, "number") || (scores as unknown[]).length !== (vocab as unknown[]).length) && "scores",
    !Number.isInteger(bos) && "bos",
    !Number.isInteger(eos) && "eos",
    !Number.isInteger(firstByte) && "byte_fallback_offset",
  ].find((field) => field !== false);
  if (wrong) throw new CheckpointError(`tokenizer.json: "${wrong}" is missing or malformed`);
  const tokens = vocab as readonly string[];
  const vocabulary: Vocabulary = {
    tokens,
    scores: scores as readonly number[],
    // The first of equal tokens counts, as a byte's name may also be spelt out.
    ids: new Map(tokens.map((token, id) => [token, id] as const).reverse()),
    firstByte: firstByte as number,
  };
  const special = new Set([bos as number, eos as number]);
  return {
    encode(text, pair) {
      if (pair !== undefined) throw new TypeError("this tokenizer knows no pairs of texts");
      const input_ids = [bos as number, ...mergePairs(characters(text, vocabulary), vocabulary)];
      return { input_ids, token_type_ids: input_ids.map(() => 0) };
    },
    encodeBare: (text) => mergePairs(characters(text, vocabulary), vocabulary),
    decode: (ids) => decode(ids, vocabulary, special),
    idOf: (token) => vocabulary.ids.get(token),
  };
}

/** A token for each character, or for each of its bytes where it has none; a text starts with a space. */
function characters(text: string, { ids, firstByte }: Vocabulary): number[] {
  const spaced = text === "" ? [] : [...` ${text}`];
  return spaced.flatMap((character) => {
    const id = ids.get(character);
    return id !== undefined ? [id] : Array.from(Buffer.from(character), (byte) => byte + firstByte);
  });
}

/** Merges the pair whose union scores highest, the leftmost of equals, until no union is a token. */
function mergePairs(ids: number[], vocabulary: Vocabulary): number[] {
  const merged = [...ids];
  for (;;) {
    let best: { at: number; id: number; score: number } | undefined;
    for (let at = 0; at + 1 < merged.length; at++) {
      const id = vocabulary.ids.get(vocabulary.tokens[merged[at]!]! + vocabulary.tokens[merged[at + 1]!]!);
      if (id !== undefined && (!best || vocabulary.scores[id]! > best.score)) {
        best = { at, id, score: vocabulary.scores[id]! };
      }
    }
    if (!best) return merged;
    merged.splice(best.at, 2, best.id);
  }
}

function decode(ids: readonly number[], { tokens, firstByte }: Vocabulary, special: ReadonlySet<number>): string {
  const isByte = (id: number) => id >= firstByte && id < firstByte + 256;
  const pieces = ids
    .filter((id) => !special.has(id))
    .map((id) => (isByte(id) ? Buffer.of(id - firstByte) : Buffer.from(tokens[id] ?? "")));
  const text = Buffer.concat(pieces).toString();
  return ids[0] !== undefined && special.has(ids[0]) && text.startsWith(" ") ? text.slice(1) : text;
}
