/** In how far a precision answers as another does, where nobody knows what would be right. */
import type { VariantReading } from "./variantReading.ts";

type Answers = Pick<VariantReading, "vectors" | "nextTokens">;

/**
 * The share of texts whose nearest other text, by cosine, is the same; of a base that writes the share of tokens whose
 * likeliest successor is the same, where that is less.
 */
export function agreement(found: Answers, exact: Answers, texts: number): number {
  const nearest = sharedPart(nearestOthers(found.vectors, texts), nearestOthers(exact.vectors, texts));
  if (!found.nextTokens || !exact.nextTokens) return nearest;
  return Math.min(nearest, sharedPart(found.nextTokens.flatMap(toArray), exact.nextTokens.flatMap(toArray)));
}

const toArray = (values: Int32Array) => [...values];

function sharedPart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let same = 0;
  for (let i = 0; i < a.length; i++) same += Number(a[i] === b[i]);
  return a.length === 0 ? 1 : same / a.length;
}

/** By text the place of the text most like it; of equals the first. Vectors are of length 1. */
function nearestOthers(vectors: Float32Array, texts: number): Int32Array {
  const width = vectors.length / texts;
  return Int32Array.from({ length: texts }, (_, text) => {
    let best = { other: -1, product: -Infinity };
    for (let other = 0; other < texts; other++) {
      const product = other === text ? -Infinity : dot(vectors, text * width, other * width, width);
      if (product > best.product) best = { other, product };
    }
    return best.other;
  });
}

function dot(values: Float32Array, a: number, b: number, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += values[a + i]! * values[b + i]!;
  return sum;
}
