/** How often a fine-tuned `millrace-ngram` is right about texts it has not seen, asked as a customer asks. */
import { baselineOf } from "./accuracyBaseline.ts";
import { type Part, perSecond, tune } from "./accuracyJobs.ts";
import { readDataSet, whereDataIsSought } from "./dataSets.ts";
import type { Analyzer } from "./linearSvc.ts";

interface Case {
  name: string;
  analyzer: Analyzer;
  /** A label that stands for none of the others. */
  leftOut?: string;
  /** Percent: what `linearSvc.py` found with scikit-learn 1.2.1, for where it cannot run. */
  documented: number;
}

const cases: Case[] = [
  { name: "banking77", analyzer: "words", documented: 91.59 },
  { name: "clinc150", analyzer: "words", leftOut: "oos", documented: 92.93 },
  { name: "thucnews_titles", analyzer: "characters", documented: 87.62 },
  { name: "sst2", analyzer: "words", documented: 82.81 },
];

/** What a job on ten thousand rows may take from its creation to its success. */
const jobSeconds = 20;

export const ngram: Part = async ({ client, emit, tell }) => {
  for (const one of cases) {
    const set = readDataSet(one.name, one.leftOut);
    if (!set) {
      tell(`${one.name}: left out, it is not in ${whereDataIsSought}`);
      continue;
    }
    const { answers, seconds, answeredIn } = await tune(client, set, {
      model: "millrace-ngram",
      seed: 1,
      tell,
      ...one,
    });
    const right = answers.filter((answer, row) => answer === set.test[row]!.label).length;
    const { percent, source } = await baselineOf(one, set, tell);
    const value = (100 * right) / set.test.length;
    emit({ case: one.name, value, unit: "percent", baseline: percent, baseline_source: source });
    const bar = { baseline: jobSeconds, baseline_source: "bar" };
    emit({ case: `${one.name}/train-seconds`, value: seconds, unit: "seconds", ...bar });
    emit({ case: `${one.name}/answers`, ...perSecond(set.test.length / answeredIn) });
  }
};
