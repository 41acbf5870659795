/** Which tokens of a vocabulary may follow in a state: all of them in one walk, those of like beginnings together. */
import type { Automaton, State } from "./automaton.ts";

/** By token id; undefined for a token that stands for no bytes. */
export type TokenBytes = readonly (Uint8Array | undefined)[];

interface Spelling {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** How many of its first bytes are those of the one before. */
  readonly shared: number;
}

/** The tokens in the order of their bytes. */
export type Spellings = readonly Spelling[];

/**
 * The tokens that JSON may be written with. Where the vocabulary lacks the bytes that complete a character, tokens that
 * end within one are left out, as they could not be gone on from. Throws TypeError where it cannot write plain ASCII.
 */
export function spellings(tokens: TokenBytes): Spellings {
  const single = new Set(tokens.flatMap((bytes) => (bytes?.length === 1 ? [bytes[0]!] : [])));
  const has = (first: number, last: number) => {
    for (let byte = first; byte <= last; byte++) if (!single.has(byte)) return false;
    return true;
  };
  if (!has(0x20, 0x7e)) throw new TypeError("its tokenizer has not every character of JSON as a token");
  const usable = (bytes: Uint8Array) => bytes.length > 0 && (has(0x80, 0xbf) || isWhole(bytes));
  const sorted = tokens.flatMap((bytes, id) => (bytes && usable(bytes) ? [{ id, bytes }] : []));
  sorted.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.id - b.id);
  return sorted.map(({ id, bytes }, i) => ({ id, bytes, shared: sharedBytes(sorted[i - 1]?.bytes, bytes) }));
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
  const mask = new Uint8Array(vocabulary);
  // The states after each byte of the token at hand, and how many of them hold.
  const states = [state];
  let known = 0;
  let dead = Number.POSITIVE_INFINITY;
  for (const { id, bytes, shared } of spelt) {
    if (shared >= dead) continue;
    dead = Number.POSITIVE_INFINITY;
    known = Math.min(known, shared);
    while (known < bytes.length) {
      const next = automaton.next(states[known]!, bytes[known]!);
      if (!next) {
        dead = known + 1;
        break;
      }
      states[++known] = next;
    }
    if (dead === Number.POSITIVE_INFINITY) mask[id] = 1;
  }
  return mask;
}
