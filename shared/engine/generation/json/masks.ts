/** Which tokens of a vocabulary may follow in a state: all of them in one walk, those of like beginnings together. */
import type { Automaton, State } from "./automaton.ts";

/** By token id; undefined for a token that stands for no bytes. */
export type TokenBytes = readonly (Uint8Array | undefined)[];

/** The tokens in the order of their bytes, which lie in a row. */
export interface Spellings {
  readonly ids: Int32Array;
  readonly bytes: Uint8Array;
  /** Where the bytes of each token end. */
  readonly ends: Int32Array;
  /** How many of its first bytes are those of the one before. */
  readonly shared: Int32Array;
}

/** Whether a text of any form can be written: every character that JSON's own signs are made of is a token. */
export function canWriteJson(tokens: TokenBytes): boolean {
  return hasEach(tokens, 0x20, 0x7e);
}

/**
 * The tokens that JSON may be written with. Where the vocabulary lacks the bytes that complete a character, tokens that
 * end within one are left out, as they could not be gone on from. Throws TypeError where it cannot write plain ASCII.
 */
export function spellings(tokens: TokenBytes): Spellings {
  if (!canWriteJson(tokens)) throw new TypeError("the vocabulary has not every character of JSON as a token");
  const completes = hasEach(tokens, 0x80, 0xbf);
  const usable = (bytes: Uint8Array) => bytes.length > 0 && (completes || isWhole(bytes));
  const sorted = tokens.flatMap((bytes, id) => (bytes && usable(bytes) ? [{ id, bytes }] : []));
  sorted.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.id - b.id);
  let end = 0;
  return {
    ids: Int32Array.from(sorted, ({ id }) => id),
    bytes: Buffer.concat(sorted.map(({ bytes }) => bytes)),
    ends: Int32Array.from(sorted, ({ bytes }) => (end += bytes.length)),
    shared: Int32Array.from(sorted, ({ bytes }, i) => sharedBytes(sorted[i - 1]?.bytes, bytes)),
  };
}

/** Whether each byte from first to last is a token by itself. */
function hasEach(tokens: TokenBytes, first: number, last: number): boolean {
  const single = new Set(tokens.map((bytes) => (bytes?.length === 1 ? bytes[0]! : -1)));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).every((byte) => single.has(byte));
}

function isWhole(bytes: Uint8Array): boolean {
  return Buffer.from(Buffer.from(bytes).toString()).equals(bytes);
}

function sharedBytes(before: Uint8Array | undefined, bytes: Uint8Array): number {
  let count = 0;
  while (before && count < before.length && count < bytes.length && before[count] === bytes[count]) count++;
  return count;
}

/** One element for each token of the vocabulary: 1 where all of its bytes may follow. */
export function maskOf(automaton: Automaton, state: State, spelt: Spellings, vocabulary: number): Uint8Array {
  const { ids, bytes, ends, shared } = spelt;
  const mask = new Uint8Array(vocabulary);
  // The states after each byte of the token at hand, how many of them hold, and after how many bytes there is none.
  const states = [state];
  let known = 0;
  let dead = Number.POSITIVE_INFINITY;
  for (let i = 0, start = 0; i < ids.length; start = ends[i++]!) {
    if (shared[i]! >= dead) continue;
    dead = Number.POSITIVE_INFINITY;
    known = Math.min(known, shared[i]!);
    const length = ends[i]! - start;
    while (known < length && dead > length) {
      const next = automaton.next(states[known]!, bytes[start + known]!);
      if (next) states[++known] = next;
      else dead = known + 1;
    }
    if (known === length) mask[ids[i]!] = 1;
  }
  return mask;
}
