/** Sentences of the open English texts from which a base learns what a sentence encoder says of whole sentences. */
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";
import { type Choice, chosenTexts, passagesOf, shuffler } from "./chosenTexts.ts";
import { corpusFiles } from "./corpora.ts";

/** Two words at least. */
const isText = /[a-z]{2}.* .*[a-z]{2}/i;

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
  isText,
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
  isText,
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
  isText,
  length: [140, 380],
  count: 40_000,
};

/** The same ones at each call, as of all functions here. */
export function tableSentences(shared: string): Promise<string[]> {
  return chosenTexts(forTable, sentencesOf, corpusFiles("english", shared));
}

/** None of `known`, which are those for the table. */
export async function contextTexts(shared: string, known: readonly string[]): Promise<string[]> {
  const files = corpusFiles("english", shared);
  const taken = new Set(known);
  const sentences = await chosenTexts(forContext, sentencesOf, files);
  const longer = await chosenTexts(passages, passagesOf(passages.length[1]), files);
  return shuffler(9)([...sentences.filter((text) => !taken.has(text)), ...longer]);
}
