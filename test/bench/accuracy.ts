/** How often a fine-tuned `millrace-ngram` is right about texts it has not seen, asked as a customer asks. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { concurrently } from "../examples/concurrently.ts";
import { decide, fineTune, follow } from "../examples/customer.ts";
import { withMillrace } from "../examples/withMillrace.ts";
import { type DataSet, readDataSet, whereDataIsSought } from "./dataSets.ts";
import { type Analyzer, linearSvc } from "./linearSvc.ts";
import type { Suite } from "./suite.ts";

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
const requestsAtOnce = 16;

export const accuracy: Suite = async ({ emit, tell }) => {
  const home = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    return await withMillrace(home, async (millrace): Promise<void> => {
      const { baseUrl, apiKey } = await millrace;
      const client = new OpenAI({ baseURL: baseUrl, apiKey });
      for (const one of cases) {
        const set = readDataSet(one.name, one.leftOut);
        if (!set) {
          tell(`${one.name}: left out, it is not in ${whereDataIsSought}`);
          continue;
        }
        const ours = await measure(client, one, set, tell);
        const theirs = await baselineOf(one, set, tell);
        emit({ case: one.name, value: ours.percent, unit: "percent", ...theirs });
        const bar = { baseline: jobSeconds, baseline_source: "bar" };
        emit({ case: `${one.name}/train-seconds`, value: ours.seconds, unit: "seconds", ...bar });
        emit({ case: `${one.name}/answers`, value: ours.perSecond, unit: "per second", ...noBaseline });
      }
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};

const noBaseline = { baseline: null, baseline_source: "none" };

async function measure(client: OpenAI, { name }: Case, { train, test, labels }: DataSet, tell: (line: string) => void) {
  tell(`${name}: ${train.length} rows to learn from, ${test.length} to ask about, ${labels.length} labels`);
  const { id } = await fineTune(client, train, { suffix: name.replace("_", "-"), seed: 1 });
  const start = performance.now();
  const job = await follow(client, id, ({ message, data }) => {
    if ((data as { accuracy?: number } | null)?.accuracy !== undefined) tell(`${name}: ${message}`);
  });
  const seconds = (performance.now() - start) / 1000;
  const asked = performance.now();
  let right = 0;
  let answered = 0;
  await concurrently(test, requestsAtOnce, async ({ text, label }) => {
    const { choice } = await decide(client, job.fine_tuned_model!, text, { instructions: "Which label?", labels });
    right += Number(choice === label);
    if (++answered % 1000 === 0) tell(`${name}: ${answered} of ${test.length} asked`);
  });
  const perSecond = test.length / ((performance.now() - asked) / 1000);
  return { percent: (100 * right) / test.length, seconds, perSecond };
}

async function baselineOf({ name, analyzer, documented }: Case, set: DataSet, tell: (line: string) => void) {
  tell(`${name}: the baseline, TF-IDF and LinearSVC`);
  const found = await linearSvc(set, analyzer);
  if (!found) return { baseline: documented, baseline_source: "documented" };
  return { baseline: 100 * found.accuracy, baseline_source: `scikit-learn ${found.version}` };
}
