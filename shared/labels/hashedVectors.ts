/** Texts as short vectors without a model: n-grams of words and characters, hashed into a few hundred places. */
import { mix } from "../engine/text/hashing.ts";
import { ngrams } from "../engine/text/ngrams.ts";

export const usualWidth = 256;

/**
 * float32 [width] of Euclidean length 1, or 0 of a text without words. An n-gram's hash says its place and its sign, so that
 * products are right on average whatever meets in a place (Weinberger et al. 2009, "Feature hashing").
 */
export function hashedVector(text: string, width = usualWidth): Float32Array {
  const { buckets, counts } = ngrams(text);
  const vector = new Float32Array(width);
  for (const [i, bucket] of buckets.entries()) {
    const hash = mix(bucket);
    vector[hash % width]! += (hash & 0x80000000 ? -1 : 1) * (1 + Math.log(counts[i]!));
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
