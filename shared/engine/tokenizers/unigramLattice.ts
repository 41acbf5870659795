/** Every way to cut a word into pieces, weighed by the pieces' log probabilities. */
import type { ByteTrie } from "./byteTrie.ts";

export interface Pieces {
  readonly trie: ByteTrie;
  /** By piece; natural logarithms. */
  readonly scores: Float64Array;
}

/** Part of an array of bytes. */
export interface Span {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

type Visit = (from: number, to: number, piece: number) => void;

/** Pieces that begin at `at` of a span, shortest first. */
function piecesAt({ trie }: Pieces, { bytes, start, end }: Span, at: number, visit: Visit): void {
  let node = 0;
  for (let to = start + at; to < end; to++) {
    node = trie.next(node, bytes[to]!);
    if (node === 0) return;
    const piece = trie.valueOf(node);
    if (piece >= 0) visit(at, to + 1 - start, piece);
  }
}

/** log(e^a + e^b). */
function addLogs(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
}

/**
 * Adds to `expected` how often each piece is to be expected in `count` occurrences of a word, over all its cuts
 * (forward-backward, Kudo 2018 section 3.2), and returns the word's log probability.
 */
export function addExpectations(pieces: Pieces, word: Span, count: number, expected: Float64Array): number {
  const length = word.end - word.start;
  const before = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
  const behind = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
  const edges: number[] = [];
  before[0] = 0;
  behind[length] = 0;
  for (let at = 0; at < length; at++) {
    piecesAt(pieces, word, at, (from, to, piece) => {
      before[to] = addLogs(before[to]!, before[from]! + pieces.scores[piece]!);
      edges.push(from, to, piece);
    });
  }
  // The edges were found in the order of their beginnings: backwards, all behind one are known before it.
  for (let i = edges.length - 3; i >= 0; i -= 3) {
    const [from, to, piece] = [edges[i]!, edges[i + 1]!, edges[i + 2]!];
    behind[from] = addLogs(behind[from]!, behind[to]! + pieces.scores[piece]!);
  }
  const total = before[length]!;
  for (let i = 0; i < edges.length; i += 3) {
    const [from, to, piece] = [edges[i]!, edges[i + 1]!, edges[i + 2]!];
    expected[piece]! += count * Math.exp(before[from]! + pieces.scores[piece]! + behind[to]! - total);
  }
  return total;
}

/** The pieces of the likeliest cut (Viterbi), without `excluded` where it is given; empty where there is none. */
export function bestCut(pieces: Pieces, word: Span, excluded = -1): number[] {
  const length = word.end - word.start;
  const best = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
  const last = new Int32Array(length + 1).fill(-1);
  const origin = new Int32Array(length + 1);
  best[0] = 0;
  for (let at = 0; at < length; at++) {
    piecesAt(pieces, word, at, (from, to, piece) => {
      const score = best[from]! + pieces.scores[piece]!;
      if (piece === excluded || score <= best[to]!) return;
      best[to] = score;
      last[to] = piece;
      origin[to] = from;
    });
  }
  const cut: number[] = [];
  for (let at = length; at > 0 && last[at]! >= 0; at = origin[at]!) cut.push(last[at]!);
  return cut.reverse();
}
