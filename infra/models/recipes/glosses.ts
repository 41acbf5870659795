/** What words of another language mean and how good or bad they are, by the English base's vectors of what a dictionary says of them. */
import { openEncoder } from "../../../shared/engine/models/adaptedBase.ts";
import { readWeights } from "../../../shared/engine/weights/checkpointFiles.ts";
import { columns } from "./englishTable.ts";
import type { Rows } from "./principal.ts";

/** The first sense counts most, the fourth a quarter of that. */
const senses = 4;
/** In nearly every gloss, and of no meaning in it. */
const empty = /\b(?:to|of|the|a|an|be)\b/g;

export interface Glossed {
  /** A direction, of length 1, for each word; zeros for one that the dictionary lacks. */
  readonly meaning: Rows;
  readonly polarity: Rows;
}

/** `glosses` by word, of which some have none; `english` is the directory of a base that `englishTable` made. */
export async function glossed(glosses: readonly (readonly string[])[], english: string): Promise<Glossed> {
  const { encode, specialTokens } = await openEncoder(english);
  const weights = await readWeights(english);
  const { shape, data } = weights.get("electra.embeddings.word_embeddings.weight")!;
  const width = shape[1]!;
  const table = data as Float32Array;
  const meaning = new Float32Array(glosses.length * columns.meaning);
  const polarity = new Float32Array(glosses.length);
  for (const [word, texts] of glosses.entries()) {
    const whole = new Float64Array(width);
    let total = 0;
    for (const [i, text] of texts.slice(0, senses).entries()) {
      const ids = encode(text.toLowerCase().replace(empty, " "));
      const own = ids.subarray(1, 1 + ids.length - specialTokens);
      if (own.length === 0) continue;
      const share = 1 / (i + 1);
      for (const id of own) {
        for (let c = 0; c < width; c++) whole[c]! += (share / own.length) * table[id * width + c]!;
      }
      total += share;
    }
    if (total === 0) continue;
    const said = whole.subarray(0, columns.meaning);
    const length = Math.max(Math.hypot(...said), 1e-6);
    for (let c = 0; c < columns.meaning; c++) meaning[word * columns.meaning + c] = said[c]! / length;
    polarity[word] = whole[width - 1]! / total;
  }
  return { meaning: { width: columns.meaning, data: meaning }, polarity: { width: columns.polarity, data: polarity } };
}
