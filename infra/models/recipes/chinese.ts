/** `millrace-embed-zh` before it learns: vocabulary, token table and a body that lets it through. */
import { join } from "node:path";
import { hashName, normals } from "../../../shared/engine/index.ts";
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { chineseTokenizer, chineseTokens, countChinese } from "./chineseVocabulary.ts";
import { corpusFiles } from "./corpora.ts";
import { type Place, writeStart } from "./english.ts";
import { freshElectra } from "./freshElectra.ts";
import { inverseFrequency, readTable, type StaticVectors, withoutCommon } from "./staticVectors.ts";

const size = { words: 16_000, latin: 3000 };
const seed = 21;
/** Chosen by how well the cosine tells the 320 training and development pairs of FewCLUE's bustm apart. */
const tuning = { smoothing: 1e-2, wordScale: 1, length: 0 };

/** A base in `directory`, which appears whole: as good as static character vectors, no better. */
export async function chineseStart(directory: string, { shared, tell }: Place): Promise<void> {
  const characters = await readTable(join(shared, "models/tencent_char_embeddings_zh"));
  const vectors = withoutCommon(characters, 0, characters.words.length);
  const counts = await countChinese(readDocuments(corpusFiles("chinese", shared)));
  tell(`${counts.size} different words in the corpora, ${vectors.words.length} characters have vectors`);
  const scored = chineseTokens(vectors.words, counts, size);
  tell(`${scored.tokens.length} tokens`);
  const table = chineseTable(scored.words, vectors, characterShares(counts));
  const prior = Float32Array.from(scored.scores);
  const shape = {
    ...{ vocabulary: scored.tokens.length, embedding: vectors.width, positions: 256 },
    ...{ hidden: 256, heads: 4, intermediate: 1024, layers: 3 },
  };
  await writeStart(directory, shape, freshElectra(shape, table, prior, seed), chineseTokenizer(scored));
}

function characterShares(counts: ReadonlyMap<string, number>): (character: string) => number {
  const shares = new Map<string, number>();
  let total = 0;
  for (const [word, count] of counts) {
    for (const character of word) {
      shares.set(character, (shares.get(character) ?? 0) + count);
      total += count;
    }
  }
  return (character) => (shares.get(character) ?? 0.5) / total;
}

/** [words, width]: a word is the sum of its characters, each by how rare it is; what has no vector is near nothing. */
function chineseTable(
  words: readonly (string | null)[],
  vectors: StaticVectors,
  shareOf: (c: string) => number,
): Float32Array {
  const { width, data } = vectors;
  const rows = new Map(vectors.words.map((character, row) => [character.toLowerCase(), row]));
  const usual = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
  const lengths = vectors.words.map(
    (_, row) => Math.hypot(...data.subarray(row * width, (row + 1) * width)) / Math.sqrt(width),
  );
  const scales = lengths.map((length) => (Math.max(length, 1e-6) / usual) ** (tuning.length - 1) / usual);
  const table = normals(words.length * width, { seed, stream: hashName("table"), deviation: 0.02 });
  for (const [id, word] of words.entries()) {
    const characters = [...(word ?? "")].filter((character) => rows.has(character));
    if (characters.length === 0 || word!.startsWith("[")) continue;
    // A Latin word is not what its letters are; yet it is like itself.
    const isLatin = /^[a-z0-9]{2,}$/.test(word!);
    const together = characters.length > 1 ? tuning.wordScale : 1;
    for (let i = 0; i < width; i++) {
      const sum = characters.reduce(
        (all, c) =>
          all +
          scales[rows.get(c)!]! * inverseFrequency(shareOf(c), tuning.smoothing) * data[rows.get(c)! * width + i]!,
        0,
      );
      table[id * width + i] = isLatin ? 25 * table[id * width + i]! : together * sum;
    }
  }
  return table;
}
