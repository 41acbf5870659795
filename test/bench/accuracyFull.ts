/** `millrace-auto` on all training rows of public sets, several of which nobody tuned it for. */
import { baselineOf } from "./accuracyBaseline.ts";
import { type Part, tune } from "./accuracyJobs.ts";
import { type Measure, meanOf, measures } from "./accuracyMeasures.ts";
import { type DataSet, readDataSet, whereDataIsSought } from "./dataSets.ts";
import type { Analyzer } from "./linearSvc.ts";

export interface TextCase {
  name: string;
  analyzer: Analyzer;
  leftOut?: string;
  measure?: Measure;
}

const textCases: readonly TextCase[] = [
  { name: "banking77", analyzer: "words" },
  { name: "clinc150", analyzer: "words", leftOut: "oos" },
  { name: "ag_news", analyzer: "words" },
  { name: "sst2", analyzer: "words" },
  { name: "chnsenticorp_htl", analyzer: "characters" },
  { name: "thucnews_titles", analyzer: "characters" },
  { name: "davidson_hate", analyzer: "words", measure: "macro-F1" },
];

export interface TextSet extends DataSet {
  one: TextCase;
  measure: (typeof measures)[Measure];
}

/** The cases with their rows; of those that are not there it is told. */
export function* textSets(tell: (line: string) => void): Generator<TextSet> {
  for (const one of textCases) {
    const set = readDataSet(one.name, one.leftOut);
    if (set) yield { ...set, one, measure: measures[one.measure ?? "accuracy"] };
    else tell(`${one.name}: left out, it is not in ${whereDataIsSought}`);
  }
}

const usualSeeds = 3;

export const full: Part = async ({ client, emit, tell, seeds = usualSeeds }) => {
  const gains: number[] = [];
  for (const { one, measure, ...set } of textSets(tell)) {
    const found = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const { answers } = await tune(client, set, { name: one.name, model: "millrace-auto", seed, tell });
      found.push(100 * measure(answers, set.test));
      tell(`${one.name}: ${found.at(-1)!.toFixed(2)} % with seed ${seed}`);
    }
    const { percent, source } = await baselineOf(one, set, tell);
    const baseline = { baseline: percent, baseline_source: source };
    emit({ case: `full/${one.name}`, value: meanOf(found), unit: "percent", ...baseline });
    if (percent !== null) gains.push(meanOf(found) - percent);
  }
  if (gains.length) emit({ case: "full/mean-gain", value: meanOf(gains), unit: "percent", ...bar(2) });
};

/** What is asked for, where no other program is the baseline. */
export function bar(baseline: number) {
  return { baseline, baseline_source: "bar" };
}
