/**
 * What a word is by its letters alone: the sum of random vectors of its pieces of three to five characters (as fastText
 * has them, Bojanowski et al. 2017). Forms of one word are near each other, and names and numbers are near themselves.
 */
import { hashName, normals } from "../../../shared/engine/index.ts";

const [shortest, longest] = [3, 5];
/** How much of a word is it alone, beside its pieces. */
const own = 0.3;

/** A function from words to vectors of length 1 [width], or of length 0 for the empty word. */
export function spellings(width: number, seed: number): (word: string) => Float32Array {
  const known = new Map<string, Float32Array>();
  const vectorOf = (piece: string) => {
    const vector = known.get(piece) ?? normals(width, { seed, stream: hashName(piece) });
    known.set(piece, vector);
    return vector;
  };
  return (word) => {
    const marked = [..."<", ...word, ">"];
    const pieces: string[] = [];
    for (let length = shortest; length <= Math.min(longest, marked.length); length++) {
      for (let at = 0; at + length <= marked.length; at++) pieces.push(marked.slice(at, at + length).join(""));
    }
    const sum = unit(summed(pieces.map(vectorOf), width));
    return word === ""
      ? new Float32Array(width)
      : unit(summed([sum, unit(vectorOf(word)).map((value) => own * value)], width));
  };
}

function summed(vectors: readonly Float32Array[], width: number): Float32Array {
  const sum = new Float32Array(width);
  for (const vector of vectors) for (let i = 0; i < width; i++) sum[i]! += vector[i]!;
  return sum;
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
