/** How each shipped base is made, from nothing to its weights. */
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";
import { centreBase } from "./centre.ts";
import { chineseStart } from "./chinese.ts";
import { corpusFiles } from "./corpora.ts";
import { englishStart, type Place } from "./english.ts";
import { below } from "./principal.ts";
import { pretrainingStage, type Recipe, type RecipeRun, type RecipeStage } from "./run.ts";
import { encodedTexts } from "./sentenceEncoder.ts";
import { type Lesson, sentenceStage } from "./sentenceStage.ts";
import { contextTexts, tableSentences } from "./sentences.ts";
import { tinyLmStart, writeConversations } from "./tinyLm.ts";

/** Some sentences of every corpus, the same at each call. */
async function sampleSentences({ shared }: Place): Promise<string[]> {
  const files = corpusFiles("chinese", shared).map(({ path, share = 1 }) => ({ path, share: share / 100 }));
  const documents = await Array.fromAsync(readDocuments(files));
  return documents.flatMap((text) => sentencesOf(text).slice(0, 3)).slice(0, 4000);
}

const centred = async (directory: string, place: Place) => centreBase(directory, await sampleSentences(place));

/** A start whose untrained layers add nothing: what they make of a text without words is taken out. */
function quietStart(start: Recipe["start"]): Recipe["start"] {
  return async (directory, place) => {
    const unfinished = `${directory}.unfinished`;
    await start(unfinished, place);
    await centreBase(unfinished, [""]);
    await rename(unfinished, directory);
  };
}

async function englishLesson({ place }: RecipeRun): Promise<Lesson> {
  const [first, more] = [await tableSentences(place.shared), await contextTexts(place.shared)];
  const encoded = [await encodedTexts("sentences", first, place), await encodedTexts("context", more, place)];
  return { texts: [...first, ...more], encoded: below(encoded) };
}

const pace = { tokens: 2048, held: 2048, longest: 96, fitted: 20_000 };

/** What a sentence encoder knows of words in their sentences: the layers first, and then with them the words. */
const englishSentences = [
  sentenceStage("1-sentences", englishLesson, { ...pace, steps: 7000, rate: 1e-3, tableRate: 0 }),
  sentenceStage("2-words", englishLesson, { ...pace, steps: 2200, rate: 7e-4, tableRate: 2 }),
];

/** What stands around tokens: hidden ones are to be told by it. Long; each run goes on where the last one ended. */
function maskedStage(steps: number): RecipeStage {
  return pretrainingStage(
    "1-masked",
    async (_folder, { shared }) => ({
      textFiles: corpusFiles("chinese", shared),
      contrastive: false,
      hyperparameters: { n_epochs: 1, batch_size: 32 },
      settings: {
        ...{ longest: 64, tokenSteps: steps, candidates: 2000, tokenRate: 1e-3, tableRate: 0.05 },
        // The constants that carry lengths through the layers do not bear it.
        dropout: { token: 0, contrastive: 0 },
      },
      seed: 1,
    }),
    centred,
  );
}

/** Which texts belong together, by the whole base. */
function pairStage(steps: number): RecipeStage {
  return pretrainingStage(
    "2-pairs",
    async (_folder, { shared }) => ({
      textFiles: corpusFiles("everydayChinese", shared),
      contrastive: true,
      hyperparameters: { n_epochs: 1, batch_size: 32 },
      settings: {
        ...{ longest: 48, tokenSteps: 0, contrastiveSteps: steps, contrastiveRate: 2e-4, tableRate: 0.1 },
        ...{ pairsPerStep: 48, neighbours: 0.3, omitted: 0.2, dropout: { token: 0, contrastive: 0 } },
      },
      seed: 2,
    }),
    centred,
  );
}

const tinyLm: RecipeStage = pretrainingStage(
  "1-causal",
  async (folder, place) => {
    const path = join(folder, "texts.jsonl");
    if (!existsSync(path)) await writeConversations(path, place);
    return {
      textFiles: [{ path }],
      contrastive: false,
      hyperparameters: { n_epochs: 1, batch_size: 8 },
      settings: { longest: 128, tokenSteps: 2000, tokenRate: 2e-3, tableRate: 1, candidates: 4096 },
      seed: 1,
    };
  },
  async () => {},
);

export const recipes: Record<string, Recipe> = {
  "millrace-embed-en": {
    id: "millrace-embed-en",
    start: quietStart(englishStart),
    stages: englishSentences,
    further: [],
  },
  "millrace-embed-zh": {
    id: "millrace-embed-zh",
    start: quietStart(chineseStart),
    stages: [],
    further: [maskedStage(6000), pairStage(1500)],
  },
  "millrace-tiny-lm": { id: "millrace-tiny-lm", start: tinyLmStart, stages: [tinyLm], further: [] },
};
