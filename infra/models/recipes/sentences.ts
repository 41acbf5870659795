/** Sentences of the open English texts from which a base learns what a sentence encoder says of whole sentences. */
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";
import { corpusFiles } from "./corpora.ts";

/** What is taken of the corpora. */
interface Choice {
  /** Most texts by file: what people say and ask, and what is said of the world, before speeches and novels. */
  readonly most: Readonly<Record<string, number>>;
  /** Characters of a text. */
  readonly length: readonly [shortest: number, longest: number];
  /** Of all that are chosen. */
  readonly count: number;
}

/** For a table of tokens. */
const forTable: Choice = {
  most: {
    "en-goemotions": 35_000,
    en_dbpedia_abstracts: 30_000,
    "en-opentriviaqa": 20_000,
    "en-digitalgov": 14_000,
    "en-ewt": 13_000,
    "en-intents-snips-hwu": 12_000,
    "en-commonvoice-sentences": 18_000,
    "en-multidogo": 6000,
    "en-sgd": 9000,
    "en-star": 4000,
    "en-multiwoz-valtest": 4000,
    "en-taskmaster4": 3000,
    "en-transcripts-tang": 7000,
    "en-sotu": 4000,
    en_novels_public_domain: 5000,
  },
  length: [12, 180],
  count: 83_968,
};

/** For what stands around tokens, which takes more to learn. */
const forContext: Choice = {
  most: {
    "en-goemotions": 75_000,
    "en-commonvoice-sentences": 40_000,
    "en-opentriviaqa": 45_000,
    en_dbpedia_abstracts: 31_000,
    "en-digitalgov": 30_000,
    "en-intents-snips-hwu": 27_000,
    "en-multidogo": 34_000,
    "en-sgd": 30_000,
    "en-star": 15_000,
    "en-multiwoz-valtest": 15_000,
    "en-ewt": 14_000,
    "en-taskmaster4": 11_000,
    "en-transcripts-tang": 15_000,
    en_novels_public_domain: 15_000,
    "en-gsm-questions": 8000,
    "en-sotu": 6000,
  },
  length: [12, 180],
  count: 400_000,
};

/** Some sentences together: what a headline and its story are read as. */
const passages: Choice = {
  most: {
    en_dbpedia_abstracts: 14_000,
    "en-digitalgov": 10_000,
    "en-goemotions": 5000,
    "en-ewt": 2000,
    "en-transcripts-tang": 3000,
    "en-sotu": 2000,
    en_novels_public_domain: 4000,
  },
  length: [140, 380],
  count: 40_000,
};

/** The same ones at each call, as of all functions here. */
export function tableSentences(shared: string): Promise<string[]> {
  return chosen(forTable, sentencesOf, shared);
}

/** None of them among those for the table. */
export async function contextTexts(shared: string): Promise<string[]> {
  const known = new Set(await tableSentences(shared));
  const sentences = await chosen(forContext, sentencesOf, shared);
  const longer = await chosen(passages, passagesOf, shared);
  return shuffler(9)([...sentences.filter((text) => !known.has(text)), ...longer]);
}

async function chosen(
  { most, length, count }: Choice,
  parts: (text: string) => Iterable<string>,
  shared: string,
): Promise<string[]> {
  const shuffle = shuffler(7);
  const paths = new Map(corpusFiles("english", shared).map(({ path }) => [nameOf(path), path]));
  const all: string[] = [];
  for (const [name, limit] of Object.entries(most)) {
    const found = new Set<string>();
    for await (const text of readDocuments([{ path: paths.get(name)! }])) {
      for (const part of parts(text)) if (isFit(part.trim(), length)) found.add(part.trim());
    }
    all.push(...shuffle([...found]).slice(0, limit));
  }
  return shuffle(all).slice(0, count);
}

/** Sentences that follow each other, as many as have room. */
function* passagesOf(text: string): Generator<string> {
  let passage = "";
  for (const sentence of sentencesOf(text)) {
    const longer = `${passage} ${sentence.trim()}`.trim();
    if (longer.length <= passages.length[1]) passage = longer;
    else {
      yield passage;
      passage = sentence.trim();
    }
  }
  yield passage;
}

const nameOf = (path: string) => path.split("/").at(-1)!.replace(".jsonl.gz", "");

/** Two words at least. */
const isFit = (text: string, [shortest, longest]: Choice["length"]) =>
  text.length >= shortest && text.length <= longest && /[a-z]{2}.* .*[a-z]{2}/i.test(text);

/** Shuffles lists in place (Fisher and Yates), each call further along one row of numbers (Numerical Recipes' generator). */
function shuffler(seed: number): (list: string[]) => string[] {
  let state = seed;
  return (list) => {
    for (let i = list.length - 1; i > 0; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = Math.floor((state / 2 ** 32) * (i + 1));
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  };
}
