/** What all parts of the suite play on: a local cloud with a base that has learned, and models tuned from it. */

import type { BaseRecord } from "../../shared/schemas/base.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { createModelHost, type ModelHostOptions } from "../../shared/serving/host.ts";
import { concurrently } from "../examples/concurrently.ts";
import { type Cloud, openCloud } from "../support/deployment.ts";
import { sharedFile } from "../support/sharedFiles.ts";
import { type DataSet, readDataSet, whereDataIsSought } from "./dataSets.ts";
import { learnedBase } from "./servingBase.ts";
import { addModels, importLearned, openTuning, type Tuned, type Tuning } from "./servingModels.ts";
import type { Bench } from "./suite.ts";
import { threads } from "./trainingStepper.ts";

export interface Stage {
  readonly set: DataSet;
  readonly tuning: Tuning;
  readonly cloud: Cloud;
  readonly base: BaseRecord;
  /** The first so many models, made when they are first asked for. */
  models(count: number): Promise<readonly Tuned[]>;
  /** A new host; whoever opens it closes it. */
  host(options?: Partial<ModelHostOptions>): ModelHost;
  close(): Promise<void>;
}

/** Undefined, having said why, where the texts or the vocabulary are not there. */
export async function openStage({ tell }: Bench): Promise<Stage | undefined> {
  const set = readDataSet("banking77");
  const tokenizer = sharedFile("models/tokenizer_bert_uncased");
  if (!set || tokenizer.skip) {
    return void tell(`serving: left out, ${tokenizer.skip || `banking77 is not in ${whereDataIsSought}`}`);
  }
  const learned = await learnedBase(set, tokenizer.path, tell);
  const tuning = await openTuning(learned, set.labels);
  const cloud = await openCloud();
  const base = await importLearned(cloud.stores, learned);
  const made: Tuned[] = [];
  return {
    ...{ set, tuning, cloud, base },
    async models(count) {
      const missing = { from: made.length, count: Math.max(0, count - made.length) };
      if (missing.count > 0) made.push(...(await addModels(cloud.stores, base, tuning, missing)));
      return made.slice(0, count);
    },
    host: (options = {}) => createModelHost(cloud.stores.objects, { threads, processes: threads, ...options }),
    close: () => cloud.close(),
  };
}

/** A text, and the model that is to say what it is. */
export interface Question {
  readonly text: string;
  readonly model: Tuned;
}

export interface Asked {
  readonly milliseconds: number;
  /** The likeliest, for each question. */
  readonly labels: readonly string[];
}

/** Every question by itself, as clients ask; so many are under way at once. */
export async function askAll(host: ModelHost, questions: readonly Question[], atOnce: number): Promise<Asked> {
  const start = performance.now();
  const labels = await concurrently(questions, atOnce, async ({ text, model }) => {
    const [answer] = await host.classify(model.record, [text]);
    return answer!.labels[argmax(answer!.probabilities)]!;
  });
  return { milliseconds: performance.now() - start, labels };
}

export function argmax(values: readonly number[]): number {
  return values.indexOf(values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY));
}
