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
import { writeEnglishPairs } from "./englishPairs.ts";
import { pretrainingStage, type Recipe, type RecipeStage } from "./run.ts";
import { tinyLmStart, writeConversations } from "./tinyLm.ts";

type Language = "english" | "chinese";

const everyday = { english: "everydayEnglish", chinese: "everydayChinese" } as const;

/** Some sentences of every corpus, the same at each call. */
async function sampleSentences(language: Language, { shared }: Place): Promise<string[]> {
  const files = corpusFiles(language, shared).map(({ path, share = 1 }) => ({ path, share: share / 100 }));
  const documents = await Array.fromAsync(readDocuments(files));
  return documents.flatMap((text) => sentencesOf(text).slice(0, 3)).slice(0, 4000);
}

const centred = (language: Language) => async (directory: string, place: Place) =>
  centreBase(directory, await sampleSentences(language, place));

/** A start whose untrained layers add nothing: what they make of a text without words is taken out. */
function quietStart(start: Recipe["start"]): Recipe["start"] {
  return async (directory, place) => {
    const unfinished = `${directory}.unfinished`;
    await start(unfinished, place);
    await centreBase(unfinished, [""]);
    await rename(unfinished, directory);
  };
}

async function pairsFor(language: Language, folder: string, place: Place): Promise<string[]> {
  if (language === "chinese") return [];
  const path = join(folder, "pairs.jsonl");
  if (!existsSync(path)) await writeEnglishPairs(path, place);
  return [path];
}

/** What stands around tokens: hidden ones are to be told by it. Long; each run goes on where the last one ended. */
function maskedStage(language: Language, steps: number): RecipeStage {
  return pretrainingStage(
    "1-masked",
    async (_folder, { shared }) => ({
      textFiles: corpusFiles(language, shared),
      contrastive: false,
      hyperparameters: { n_epochs: 1, batch_size: 32 },
      settings: {
        ...{ longest: 64, tokenSteps: steps, candidates: 2000, tokenRate: 1e-3, tableRate: 0.05 },
        // The constants that carry lengths through the layers do not bear it.
        dropout: { token: 0, contrastive: 0 },
      },
      seed: 1,
    }),
    centred(language),
  );
}

/** Which texts belong together, by the whole base. */
function pairStage(language: Language, steps: number): RecipeStage {
  return pretrainingStage(
    "2-pairs",
    async (folder, place) => ({
      textFiles: corpusFiles(everyday[language], place.shared),
      pairFiles: await pairsFor(language, folder, place),
      contrastive: true,
      hyperparameters: { n_epochs: 1, batch_size: 32 },
      settings: {
        ...{ longest: 48, tokenSteps: 0, contrastiveSteps: steps, contrastiveRate: 2e-4, tableRate: 0.1 },
        ...{ pairsPerStep: 48, neighbours: 0.3, omitted: 0.2, dropout: { token: 0, contrastive: 0 } },
      },
      seed: 2,
    }),
    centred(language),
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
    stages: [],
    further: [maskedStage("english", 6000), pairStage("english", 1500)],
  },
  "millrace-embed-zh": {
    id: "millrace-embed-zh",
    start: quietStart(chineseStart),
    stages: [],
    further: [maskedStage("chinese", 6000), pairStage("chinese", 1500)],
  },
  "millrace-tiny-lm": { id: "millrace-tiny-lm", start: tinyLmStart, stages: [tinyLm], further: [] },
};
