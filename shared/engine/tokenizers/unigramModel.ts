/**
 * A unigram language model over pieces (Kudo 2018): their probabilities by expectation maximisation, and which of them
 * the corpus can best do without.
 * Reference: https://github.com/google/sentencepiece/blob/master/src/unigram_model_trainer.cc
 */
import { ByteTrie } from "./byteTrie.ts";
import { addExpectations, bestCut, type Pieces, type Span } from "./unigramLattice.ts";

export interface ByteWords {
  /** All words in a row. */
  readonly bytes: Uint8Array;
  /** Where each word begins, and at the end where the last one ends. */
  readonly starts: Int32Array;
  readonly counts: Float64Array;
}

/** Pieces as strings of characters below 256, the 256 bytes first: those are always kept. */
export interface Scored {
  readonly pieces: readonly string[];
  /** Log probabilities. */
  readonly scores: Float64Array;
}

export const bytePieces: readonly string[] = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

export function uniform(pieces: readonly string[]): Scored {
  return { pieces, scores: new Float64Array(pieces.length).fill(-Math.log(pieces.length)) };
}

/** One round of expectation and maximisation; pieces expected less than half a time fall away. */
export function improve(model: Scored, words: ByteWords): Scored {
  const pieces = latticeOf(model);
  const expected = new Float64Array(model.pieces.length);
  for (const [word, count] of words.counts.entries()) addExpectations(pieces, spanOf(words, word), count, expected);
  const kept = [...model.pieces.keys()].filter((piece) => piece < 256 || expected[piece]! >= 0.5);
  // A byte that never occurs still needs a finite score.
  const counts = Float64Array.from(kept, (piece) => Math.max(expected[piece]!, 0.5));
  // The digamma function in the logarithm's place spares rare pieces less (a Dirichlet process's variational Bayes).
  const total = digamma(counts.reduce((sum, count) => sum + count, 0));
  return { pieces: kept.map((piece) => model.pieces[piece]!), scores: counts.map((count) => digamma(count) - total) };
}

/** Keeps the bytes and those `size` - 256 other pieces whose loss would make the corpus least likely. */
export function prune(model: Scored, words: ByteWords, size: number): Scored {
  const losses = lossOfEach(model, words);
  const others = [...model.pieces.keys()].slice(256);
  others.sort((a, b) => losses[b]! - losses[a]! || (model.pieces[a]! < model.pieces[b]! ? -1 : 1));
  const kept = [...bytePieces.keys(), ...others.slice(0, size - 256).sort((a, b) => a - b)];
  return {
    pieces: kept.map((piece) => model.pieces[piece]!),
    scores: Float64Array.from(kept, (piece) => model.scores[piece]!),
  };
}

/** By piece, how much log probability the corpus would lose if its likeliest cuts had to do without it. */
function lossOfEach(model: Scored, words: ByteWords): Float64Array {
  const pieces = latticeOf(model);
  const used = new Float64Array(model.pieces.length);
  for (const [word, count] of words.counts.entries()) {
    for (const piece of bestCut(pieces, spanOf(words, word))) used[piece]! += count;
  }
  const total = used.reduce((sum, count) => sum + count, 0);
  return Float64Array.from(model.pieces, (string, piece) => {
    const count = used[piece]!;
    if (piece < 256 || count === 0) return 0;
    const bytes = Buffer.from(string, "latin1");
    const instead = bestCut(pieces, { bytes, start: 0, end: bytes.length }, piece);
    // Each occurrence becomes several, and so there are more pieces in all.
    const more = Math.log(total + count * (instead.length - 1));
    const alternative = instead.reduce((sum, other) => sum + Math.log(used[other]! + count) - more, 0);
    return count * (Math.log(count) - Math.log(total) - alternative);
  });
}

function latticeOf({ pieces, scores }: Scored): Pieces {
  return { trie: new ByteTrie(pieces), scores };
}

function spanOf({ bytes, starts }: ByteWords, word: number): Span {
  return { bytes, start: starts[word]!, end: starts[word + 1]! };
}

/** The logarithm's derivative of the gamma function, for x > 0: by recurrence, then its asymptotic series. */
export function digamma(x: number): number {
  let [shifted, below] = [x, 0];
  for (; shifted < 8; shifted++) below -= 1 / shifted;
  const square = 1 / (shifted * shifted);
  const series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)));
  return below + Math.log(shifted) - 0.5 / shifted - series;
}
