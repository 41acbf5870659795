/** The open texts that shipped bases learn from: all of them may be used for weights that others use; see the cards. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TextFile } from "../../../shared/engine/pretraining/corpus.ts";

/** Names of files, and the share of their documents that is read: less where one speaker or register would dominate. */
const english: Record<string, number> = {
  "en-commonvoice-sentences": 1,
  "en-digitalgov": 0.7,
  "en-ewt": 1,
  "en-goemotions": 1,
  "en-gsm-questions": 0.4,
  "en-intents-snips-hwu": 1,
  "en-multidogo": 1,
  "en-multiwoz-valtest": 1,
  "en-opentriviaqa": 0.7,
  "en-sgd": 0.5,
  "en-sotu": 0.3,
  "en-star": 0.5,
  "en-taskmaster4": 1,
  "en-transcripts-tang": 0.15,
  en_dbpedia_abstracts: 1,
  en_novels_public_domain: 0.15,
};

const chinese: Record<string, number> = {
  "zh-cold-comments": 1,
  "zh-commonvoice-sentences": 1,
  "zh-laws": 0.1,
  "zh-msft-dynamics365": 0.3,
  "zh-msft-support-answers": 1,
  "zh-task-dialogues": 1,
  "zh-transcripts-tang-1": 0.3,
  "zh-transcripts-tang-2": 0.3,
  "zh-webdocs-vue-react": 0.5,
  zh_d2l_textbook: 0.5,
  zh_wiki_cmrc_trial_contexts: 1,
};

/** For the model that writes: dialogues whose turns alternate between two, and short plain texts. */
const conversations: Record<string, number> = {
  "en-multiwoz-valtest": 1,
  "en-sgd": 0.5,
  "en-taskmaster4": 1,
};

const spoken: Record<string, number> = {
  "en-commonvoice-sentences": 1,
  "en-ewt": 1,
  "en-gsm-questions": 0.5,
  en_dbpedia_abstracts: 0.5,
};

const corpora = { conversations, spoken, english, chinese };

export type CorpusName = keyof typeof corpora;

/** Where data for tests and recipes lies: `MILLRACE_SHARED`, or beside the repository. */
export function sharedFolder(environment: NodeJS.ProcessEnv): string {
  return environment.MILLRACE_SHARED ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
}

export function corpusFiles(name: CorpusName, shared: string): TextFile[] {
  return Object.entries(corpora[name]).map(([file, share]) => ({
    path: join(shared, "data/text_corpora", `${file}.jsonl.gz`),
    share,
  }));
}
