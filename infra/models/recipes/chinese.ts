/** `millrace-embed-zh` before it learns: vocabulary, token table and a body that lets it through. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashName, normals } from "../../../shared/engine/index.ts";
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { readCedict } from "./cedict.ts";
import { chineseTokenizer, chineseTokens, countChinese } from "./chineseVocabulary.ts";
import { neighbourVectors } from "./cooccurrence.ts";
import { corpusFiles } from "./corpora.ts";
import { type Place, writeStart } from "./english.ts";
import { specialTokens } from "./englishVocabulary.ts";
import { freshElectra } from "./freshElectra.ts";
import { glossed } from "./glosses.ts";
import { readOpenGram, type WordPairs } from "./openGram.ts";
import { beside, principal, type Rows, rowLengths, timesRows, usualLength } from "./principal.ts";
import { inverseFrequency, readTable, type StaticVectors, withoutCommon } from "./staticVectors.ts";

const size = { words: 26_000, latin: 3000 };
const width = 192;
const neighbourWidth = 160;
const seed = 21;
/**
 * Chosen by how well the cosine tells the 320 training and development pairs of FewCLUE's bustm apart, and by eight rows
 * of each label of two sets' training rows.
 */
const tuning = { smoothing: 1e-2, length: 0 };
/** Root mean square lengths beside that of what characters say. */
const shares = { gloss: 0.5, neighbours: 0.8, polarity: 0.3 };
const english = fileURLToPath(new URL("../../../shared/models/millrace-embed-en", import.meta.url));

/**
 * A base in `directory`, which appears whole: as good as vectors of words on their own, no better. What words mean is
 * what a dictionary says of them in English, read by the shipped English base: its recipe comes first.
 */
export async function chineseStart(directory: string, { packages, shared, tell }: Place): Promise<void> {
  const dictionary = readCedict({ packages, tell });
  const characters = await readTable(join(shared, "models/tencent_char_embeddings_zh"));
  const vectors = withoutCommon(characters, 0, characters.words.length);
  const openGram = readOpenGram({ packages, tell });
  const counts = await countChinese(readDocuments(corpusFiles("chinese", shared)));
  addShares(counts, openGram);
  tell(`${counts.size} different words in the corpora, ${vectors.words.length} characters have vectors`);
  const shareOf = characterShares(counts);
  const scored = chineseTokens({ characters: vectors.words, counts, dictionary, shareOf }, size);
  tell(`${scored.tokens.length} tokens`);
  const table = await chineseTable(scored.words, {
    characters: characterRows(scored.words, vectors, shareOf),
    neighbours: neighbourRows(scored.words, openGram),
    dictionary,
  });
  const prior = Float32Array.from(scored.scores);
  const shape = {
    ...{ vocabulary: scored.tokens.length, embedding: width, positions: 256 },
    ...{ hidden: 256, heads: 4, intermediate: 1024, layers: 3 },
  };
  await writeStart(directory, shape, freshElectra(shape, table, prior, seed), chineseTokenizer(scored));
}

/** Half of all counts are then the model's: the texts are of few kinds, and news is none of them. */
function addShares(counts: Map<string, number>, { words, shares }: WordPairs): void {
  const total = counts.values().reduce((sum, count) => sum + count, 0);
  for (const [id, word] of words.entries()) {
    if (/^\p{Script=Han}+$/u.test(word)) counts.set(word, (counts.get(word) ?? 0) + shares[id]! * total);
  }
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

interface Knowledge {
  /** By token, as `neighbours`. */
  readonly characters: Rows;
  /** Directions, of length 1; zeros where nothing is known. */
  readonly neighbours: Rows;
  readonly dictionary: ReadonlyMap<string, readonly string[]>;
}

async function chineseTable(
  words: readonly (string | null)[],
  { characters, neighbours, dictionary }: Knowledge,
): Promise<Float32Array> {
  // A Latin word is its own gloss.
  const glosses = words.map((word) => (word ? (dictionary.get(word) ?? (isLatin(word) ? [word] : [])) : []));
  const { meaning, polarity } = await glossed(glosses, english);
  const lengths = rowLengths([characters]);
  const both = beside([
    { ...characters, weight: 1 },
    { ...timesRows(meaning, lengths), weight: shares.gloss },
    { ...timesRows(neighbours, lengths), weight: shares.neighbours },
  ]);
  const whole = beside([
    // What all words share tells pairs apart here, and stays.
    { ...principal(both, width - polarity.width, "zero"), weight: 1 },
    { ...timesRows(polarity, lengths), weight: shares.polarity },
  ]);
  // Elements of an average word are near 1.
  const scale = (usualLength(characters) / usualLength(whole)) * Math.sqrt(width / characters.width);
  const table = normals(words.length * width, { seed, stream: hashName("table"), deviation: 0.02 });
  for (let i = specialTokens.length * width; i < table.length; i++) table[i] = scale * whole.data[i]!;
  return table;
}

const isLatin = (word: string) => /^[a-z0-9]{2,}$/.test(word);

/** A word is the sum of its characters, each by how rare it is; what has no vector is near nothing. */
function characterRows(
  words: readonly (string | null)[],
  vectors: StaticVectors,
  shareOf: (c: string) => number,
): Rows {
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
    for (let i = 0; i < width; i++) {
      const sum = characters.reduce(
        (all, c) =>
          all +
          scales[rows.get(c)!]! * inverseFrequency(shareOf(c), tuning.smoothing) * data[rows.get(c)! * width + i]!,
        0,
      );
      // A Latin word is not what its letters are; yet it is like itself.
      table[id * width + i] = isLatin(word!) ? 25 * table[id * width + i]! : sum;
    }
  }
  return { width, data: table };
}

/** Of words, by which others they stand beside. */
function neighbourRows(words: readonly (string | null)[], known: WordPairs): Rows {
  const width = neighbourWidth;
  const all = neighbourVectors(known.neighbours, { ids: known.words.length, width, seed });
  const ids = new Map(known.words.map((word, id) => [word, id]));
  const data = new Float32Array(words.length * width);
  for (const [row, word] of words.entries()) {
    const id = word ? ids.get(word) : undefined;
    if (id !== undefined) data.set(all.data.subarray(id * width, (id + 1) * width), row * width);
  }
  return { width, data };
}
