/** How each shipped base is made, from nothing to its weights. */
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";
import { centreBase } from "./centre.ts";
import { type corpora, corpusFiles } from "./corpora.ts";
import { englishStart, type Place } from "./english.ts";
import type { Recipe } from "./run.ts";

/** Some sentences of every corpus, the same at each call. */
export async function sampleSentences(language: keyof typeof corpora, { shared }: Place): Promise<string[]> {
  const files = corpusFiles(language, shared).map(({ path, share = 1 }) => ({ path, share: share / 100 }));
  const documents = await Array.fromAsync(readDocuments(files));
  return documents.flatMap((text) => sentencesOf(text).slice(0, 3)).slice(0, 4000);
}

export const recipes: Record<string, Recipe> = {
  "millrace-embed-en": {
    id: "millrace-embed-en",
    start: englishStart,
    stages: [
      {
        name: "1-masked",
        request: async (_folder, { shared }) => ({
          textFiles: corpusFiles("english", shared),
          contrastive: false,
          hyperparameters: { n_epochs: 1, batch_size: 64 },
          settings: { longest: 64, tokenRate: 1e-3, tableRate: 0.1, candidates: 3000, tokenSteps: 1400 },
          seed: 1,
        }),
      },
    ],
    card: "",
  },
};
export { centreBase };
