/** The part of a vocabulary that a step's predictions are compared with, drawn so that the whole's loss is kept in the mean. */
import type { Tensor } from "../dataTypes.ts";
import { mixSeeds } from "../random.ts";
import { combine, mix } from "../text/hashing.ts";

export interface Candidates {
  /** int32 [candidates], ascending. */
  readonly candidates: Tensor;
  /** float32 [candidates]: the logarithm of each one's chance to be among them. */
  readonly corrections: Tensor;
  /** int32 [asked]: the place of each target. */
  readonly labels: Tensor;
}

export interface CandidateSource {
  /** For a step's targets. */
  draw(targets: Int32Array, step: number): Candidates;
  /** All of the vocabulary: the loss is then exact. */
  all(targets: Int32Array): Candidates;
}

/** Frequent tokens are drawn more often than rare ones, by a power of their count (Mikolov et al. 2013). */
const power = 0.75;

/**
 * Of the vocabulary `count` tokens are drawn, each on its own, and the targets join them. `counts` is by token; a token's
 * chance to be a target is its share of them. All of the vocabulary where `count` is as large.
 */
export function candidateSource(counts: Float64Array, count: number, seed: number): CandidateSource {
  const total = counts.reduce((sum, value) => sum + value, 0) || 1;
  const chances = chancesOf(counts, count);
  const everything = Int32Array.from(counts.keys());
  const all = (targets: Int32Array): Candidates => ({
    candidates: { shape: [counts.length], data: everything },
    corrections: { shape: [counts.length], data: new Float32Array(counts.length) },
    labels: { shape: [targets.length], data: targets },
  });
  return {
    all,
    draw(targets, step) {
      if (count >= counts.length) return all(targets);
      const salt = mixSeeds(seed, step, 0x6361);
      const wanted = new Set(targets);
      const chosen = everything.filter((id) => wanted.has(id) || mix(combine(salt, id)) < chances[id]! * 2 ** 32);
      const chanceOf = (id: number) => 1 - (1 - chances[id]!) * (1 - counts[id]! / total) ** targets.length;
      const places = new Map(Array.from(chosen, (id, place) => [id, place]));
      return {
        candidates: { shape: [chosen.length], data: chosen },
        corrections: {
          shape: [chosen.length],
          data: Float32Array.from(chosen, (id) => Math.log(Math.max(chanceOf(id), 1e-9))),
        },
        labels: { shape: [targets.length], data: targets.map((id) => places.get(id)!) },
      };
    },
  };
}

/** By token, 1 - exp(-k weight), with k such that the chances sum to `count`. */
function chancesOf(counts: Float64Array, count: number): Float64Array {
  // A token that the corpus lacks is still one that the model must not expect.
  const weights = counts.map((value) => Math.max(value, 0.5) ** power);
  const chances = (k: number) => weights.map((weight) => -Math.expm1(-k * weight));
  const expected = (k: number) => chances(k).reduce((sum, value) => sum + value, 0);
  let [low, high] = [0, 1];
  while (expected(high) < Math.min(count, 0.99 * counts.length)) high *= 2;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (expected(middle) < count) low = middle;
    else high = middle;
  }
  return chances(high);
}
