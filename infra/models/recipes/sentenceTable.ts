/** Token vectors whose mean over a sentence comes near what a sentence encoder says of it (as in Model2Vec's "tokenlearn"). */
import { permutation } from "../../../shared/engine/index.ts";
import { principal, type Rows } from "./principal.ts";

export interface SentenceTable {
  /** [tokens, count]; zeros for tokens of no sentence. */
  readonly rows: Rows;
  /** Of the variance of sentences held out, the share that is foretold. */
  readonly explained: number;
}

interface Lesson {
  /** Token ids of each sentence. */
  readonly sentences: readonly ArrayLike<number>[];
  /** What the encoder says of each. */
  readonly encoded: Rows;
  readonly tokens: number;
  /** Columns. */
  readonly count: number;
}

/** How far a sentence's tokens move to what their mean lacks, by pass over all sentences. */
const rates = [0.4, 0.3, 0.2, 0.1, 0.05];
const heldShare = 0.05;

/** Kaczmarz's method: each sentence is an equation of its tokens' mean. */
export function sentenceTable({ sentences, encoded, tokens, count }: Lesson): SentenceTable {
  const { data: targets } = principal(encoded, count);
  const table = new Float32Array(tokens * count);
  const held = Math.floor(heldShare * sentences.length);
  const lacking = new Float64Array(count);
  const lack = (row: number) => {
    const ids = sentences[row]!;
    for (let i = 0; i < count; i++) lacking[i] = targets[row * count + i]!;
    for (let t = 0; t < ids.length; t++) {
      const at = ids[t]! * count;
      for (let i = 0; i < count; i++) lacking[i]! -= table[at + i]! / ids.length;
    }
    return ids;
  };
  for (const [pass, rate] of rates.entries()) {
    for (const place of permutation(sentences.length - held, 1, pass)) {
      const ids = lack(held + place);
      for (let t = 0; t < ids.length; t++) {
        const at = ids[t]! * count;
        for (let i = 0; i < count; i++) table[at + i]! += rate * lacking[i]!;
      }
    }
  }
  let [left, all] = [0, 0];
  for (let row = 0; row < held; row++) {
    lack(row);
    for (let i = 0; i < count; i++) {
      left += lacking[i]! ** 2;
      all += targets[row * count + i]! ** 2;
    }
  }
  return { rows: { width: count, data: table }, explained: 1 - left / all };
}
