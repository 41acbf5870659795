/** Sentences that people translated (Tatoeba, CC BY 2.0 FR). */
import { join } from "node:path";
import { readRecords } from "../../../shared/engine/pretraining/corpus.ts";

/** A text, and the same in English. */
export interface Said {
  readonly text: string;
  readonly english: string;
}

/** Those in simplified characters, which are the dictionary's. */
export async function translatedPairs(shared: string, dictionary: ReadonlyMap<string, unknown>): Promise<Said[]> {
  const simplified = new Set(dictionary.keys().flatMap((word) => [...word]));
  const isSimplified = (text: string) =>
    [...text].every((character) => !/\p{Script=Han}/u.test(character) || simplified.has(character));
  const found: Said[] = [];
  for await (const { value } of readRecords(join(shared, "data/tatoeba_en_zh/train.jsonl.gz"))) {
    const { source, target } = value as { source: string; target: string };
    if (isSimplified(target)) found.push({ text: target, english: source });
  }
  return found;
}
