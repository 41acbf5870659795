/** Sentences of the open English texts from which a table of tokens learns what a sentence encoder says of whole sentences. */
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";
import { corpusFiles } from "./corpora.ts";

/** Most of a text's sentences by file: what people say and ask, and what is said of the world, before speeches and novels. */
const most: Readonly<Record<string, number>> = {
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
};
/** Of all that are chosen: an encoder takes minutes for each few thousand. */
const count = 83_968;
const [shortest, longest] = [12, 180];

/** The same ones at each call. */
export async function chosenSentences(shared: string): Promise<string[]> {
  const shuffle = shuffler(7);
  const paths = new Map(corpusFiles("english", shared).map(({ path }) => [nameOf(path), path]));
  const chosen: string[] = [];
  for (const [name, limit] of Object.entries(most)) {
    const found = new Set<string>();
    for await (const text of readDocuments([{ path: paths.get(name)! }])) {
      for (const sentence of sentencesOf(text)) if (isFit(sentence.trim())) found.add(sentence.trim());
    }
    chosen.push(...shuffle([...found]).slice(0, limit));
  }
  return shuffle(chosen).slice(0, count);
}

const nameOf = (path: string) => path.split("/").at(-1)!.replace(".jsonl.gz", "");

/** Two words at least. */
const isFit = (text: string) =>
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
