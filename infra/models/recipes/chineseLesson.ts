/** Chinese texts, and what an English sentence encoder says of them in English. */
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";
import { readCedict } from "./cedict.ts";
import { type Choice, chosenTexts, passagesOf, shuffler } from "./chosenTexts.ts";
import { corpusFiles } from "./corpora.ts";
import type { Place } from "./english.ts";
import { below, type Rows } from "./principal.ts";
import { encodedTexts } from "./sentenceEncoder.ts";
import type { Lesson } from "./sentenceStage.ts";
import { type Said, translatedPairs } from "./translatedPairs.ts";
import { wordByWord } from "./wordByWord.ts";

const isText = /(?:\p{Script=Han}.*){4}/u;

const sentences: Choice = {
  most: {
    "zh-commonvoice-sentences": 57_000,
    "zh-task-dialogues": 40_000,
    "zh-cold-comments": 37_000,
    "zh-transcripts-tang-1": 25_000,
    "zh-transcripts-tang-2": 15_000,
    "zh-msft-support-answers": 12_000,
    "zh-msft-dynamics365": 12_000,
    "zh-laws": 12_000,
    "zh-webdocs-vue-react": 5000,
    zh_d2l_textbook: 5000,
    zh_wiki_cmrc_trial_contexts: 3000,
  },
  isText,
  length: [6, 70],
  count: 130_000,
};

/** Some sentences together, as reviews and articles are. */
const passages: Choice = {
  most: {
    "zh-transcripts-tang-1": 6000,
    "zh-cold-comments": 4000,
    "zh-task-dialogues": 4000,
    "zh-msft-support-answers": 2000,
    zh_wiki_cmrc_trial_contexts: 1000,
  },
  isText,
  length: [60, 160],
  count: 8000,
};

/** Senses of a word that are read. */
const mostSenses = 3;

/** By kind: sentences and passages said word by word, words as a dictionary explains them, and sentences that people translated. */
export async function chineseTexts(place: Place): Promise<Record<"plain" | "words" | "translated", Said[]>> {
  const dictionary = readCedict(place);
  const files = corpusFiles("chinese", place.shared);
  const plain = [
    ...(await chosenTexts(sentences, sentencesOf, files)),
    ...(await chosenTexts(passages, passagesOf(passages.length[1]), files)),
  ];
  const inEnglish = wordByWord(dictionary);
  const isSaid = ({ english }: Said) => /[a-z]{2}/i.test(english);
  return {
    plain: shuffler(11)(plain.map((text) => ({ text, english: inEnglish(text) })).filter(isSaid)),
    words: explained(dictionary).filter(isSaid),
    translated: await translatedPairs(place.shared, dictionary),
  };
}

/** What its first texts are judged by is sentences and passages. */
export async function chineseLesson(place: Place): Promise<Lesson> {
  const kinds = Object.entries(await chineseTexts(place));
  const encoded: Rows[] = [];
  for (const [kind, said] of kinds) {
    const english = said.map(({ english }) => english);
    encoded.push(await encodedTexts(`chinese-${kind}`, english, place));
  }
  return { texts: kinds.flatMap(([, said]) => said.map(({ text }) => text)), encoded: below(encoded) };
}

function explained(dictionary: ReadonlyMap<string, readonly string[]>): Said[] {
  return [...dictionary]
    .filter(([word]) => /^\p{Script=Han}{2,6}$/u.test(word))
    .map(([text, senses]) => ({ text, english: senses.slice(0, mostSenses).join("; ") }));
}
