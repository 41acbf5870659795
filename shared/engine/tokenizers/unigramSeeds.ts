/** The substrings of a corpus that occur often enough to become pieces: what a unigram vocabulary is pruned from. */
import type { ByteWords } from "./unigramModel.ts";

// Sixteen letters of Latin, ten characters of Chinese.
const longest = 32;

/**
 * Whole characters that stand together, by falling frequency times length; bytes alone are not among them. Only
 * substrings both of whose own parts were frequent are counted, so memory holds frequent ones only.
 */
export function seedPieces(words: ByteWords, limit: number, minFrequency: number): string[] {
  const text = Buffer.from(words.bytes.buffer, words.bytes.byteOffset, words.bytes.length).toString("latin1");
  // Whether the substring of the length reached so far is frequent, by where it begins.
  let alive = new Uint8Array(words.bytes.length).fill(1);
  const seeds: { piece: string; score: number }[] = [];
  for (let length = 2; length <= longest && alive.includes(1); length++) {
    const counts = countLength(text, words, alive, length);
    for (const [piece, count] of counts) {
      if (count < minFrequency) counts.delete(piece);
      else if (isWhole(piece)) seeds.push({ piece, score: count * length });
    }
    alive = survivors(text, words, alive, { length, counts });
  }
  seeds.sort((a, b) => b.score - a.score || (a.piece < b.piece ? -1 : 1));
  return seeds.slice(0, limit).map(({ piece }) => piece);
}

function countLength(text: string, words: ByteWords, alive: Uint8Array, length: number): Map<string, number> {
  const counts = new Map<string, number>();
  forEachStart(words, alive, length, (at, count) => {
    const piece = text.slice(at, at + length);
    counts.set(piece, (counts.get(piece) ?? 0) + count);
  });
  return counts;
}

function survivors(
  text: string,
  words: ByteWords,
  alive: Uint8Array,
  { length, counts }: { length: number; counts: ReadonlyMap<string, number> },
): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(alive.length);
  forEachStart(words, alive, length, (at) => {
    if (counts.has(text.slice(at, at + length))) next[at] = 1;
  });
  return next;
}

function forEachStart(
  { starts, counts }: ByteWords,
  alive: Uint8Array,
  length: number,
  visit: (at: number, count: number) => void,
): void {
  for (let word = 0; word < counts.length; word++) {
    for (let at = starts[word]!; at + length <= starts[word + 1]!; at++) {
      if (alive[at] && alive[at + 1]) visit(at, counts[word]!);
    }
  }
}

/** Whether bytes begin and end between characters of UTF-8. */
function isWhole(piece: string): boolean {
  return !Buffer.from(piece, "latin1").toString().includes("\ufffd");
}
