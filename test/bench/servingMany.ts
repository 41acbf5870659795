/** What a model more costs: in speed where many share batches, in waiting at its first call, and in memory. */
import { permutation } from "../../shared/engine/index.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { residentMebibytes, slope } from "./servingMemory.ts";
import { askAll, type Question, type Stage } from "./servingStage.ts";
import type { Bench } from "./suite.ts";
import { interleaved, median, timed } from "./timing.ts";

const models = 256;
const rounds = 9;
const texts = 1024;
const atOnce = 256;
/** First calls that are timed. */
const firstCalls = 32;
/** Models between two looks at memory. */
const stride = 16;

export async function many(stage: Stage, bench: Bench): Promise<void> {
  bench.tell(`serving: writes ${models} models of as many projects`);
  await stage.models(models);
  await mixed(stage, bench);
  await cold(stage, bench);
  await memory(stage, bench);
}

/** In int8, where adapters are the larger share. */
const open = (stage: Stage): ModelHost => stage.host({ precisionOf: () => "int8" });

async function mixed(stage: Stage, { emit, tell }: Bench): Promise<void> {
  const all = await stage.models(models);
  const host = open(stage);
  const order = permutation(texts, 1);
  const questionsOf = (modelOf: (i: number) => Question["model"]): Question[] =>
    stage.set.test.slice(0, texts).map(({ text }, i) => ({ text, model: modelOf(i) }));
  const one = questionsOf(() => all[0]!);
  const each = questionsOf((i) => all[order[i]! % models]!);
  tell(`serving: ${rounds} rounds of ${texts} texts, of one model and of ${models}`);
  const ask = (questions: readonly Question[]) => async () => (await askAll(host, questions, atOnce)).milliseconds;
  const times = await interleaved(rounds, { one: ask(one), each: ask(each) });
  await host.close();
  const rate = (name: "one" | "each") => (1000 * texts) / median(times[name]);
  const beside = { baseline: rate("one"), baseline_source: "one model; asked for: 0.95" };
  emit({ case: `models=${models}/throughput`, value: rate("each"), unit: "per second", ...beside });
}

async function cold(stage: Stage, { emit }: Bench): Promise<void> {
  const [known, ...others] = await stage.models(1 + firstCalls);
  const { text } = stage.set.test[0]!;
  const host = open(stage);
  const ask = (model: Question["model"]) => timed(() => askAll(host, [{ text, model }], 1));
  for (let i = 0; i < 10; i++) await ask(known!);
  const warm = await ask(known!);
  const times: number[] = [];
  for (const model of others) times.push(await ask(model));
  await host.close();
  const bar = { baseline: 100, baseline_source: `bar; a warm model's: ${warm.toFixed(1)}` };
  emit({ case: "first-call", value: median(times), unit: "milliseconds", ...bar });
}

async function memory(stage: Stage, { emit, tell }: Bench): Promise<void> {
  const all = await stage.models(models);
  const host = open(stage);
  // What a base takes whatever is tuned from it, and what lies ready for any text.
  const warmUp = stage.set.test.slice(0, texts).map(({ text }): Question => ({ text, model: all[0]! }));
  for (let i = 0; i < 2; i++) await askAll(host, warmUp, atOnce);
  const points: [number, number][] = [];
  const { text } = stage.set.test[0]!;
  for (const [i, model] of all.entries()) {
    if (i % stride === 0) points.push([i, residentMebibytes()]);
    await askAll(host, [{ text, model }], 1);
  }
  points.push([all.length, residentMebibytes()]);
  await host.close();
  tell(`serving: resident MiB with 1 to ${models} models: ${points.map(([, found]) => found.toFixed(0)).join(" ")}`);
  const bar = { baseline: 1, baseline_source: "bar; resident sets of host and device" };
  emit({ case: "memory-per-model", value: slope(points), unit: "mebibytes", ...bar });
}
