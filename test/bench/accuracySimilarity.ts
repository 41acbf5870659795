/** How well the starter bases' vectors tell like texts from unlike ones, without tuning, by the SDK's call for vectors. */
import type OpenAI from "openai";
import { bar } from "./accuracyFull.ts";
import type { Accuracy, Part } from "./accuracyJobs.ts";
import { bestThreshold, spearman } from "./accuracyMeasures.ts";
import { readRows, whereDataIsSought } from "./dataSets.ts";

interface Pair {
  text_a: string;
  text_b: string;
}

export const similarity: Part = async (bench) => {
  const own = new Set<string>();
  for await (const { id } of bench.client.models.list()) own.add(id);
  const cases = { "millrace-embed-en": english, "millrace-embed-zh": chinese };
  for (const [model, measure] of Object.entries(cases)) {
    if (own.has(model)) await measure(bench, model);
    else bench.tell(`${model}: left out, it is not in this deployment`);
  }
};

async function english({ client, emit, tell }: Accuracy, model: string): Promise<void> {
  const pairs = readRows<Pair & { score: number }>("stsb/test");
  if (!pairs) return tell(`stsb: left out, it is not in ${whereDataIsSought}`);
  const cosines = await cosinesOf(client, model, pairs);
  const scores = pairs.map(({ score }) => score);
  emit({ case: "similarity/stsb-spearman", value: 100 * spearman(cosines, scores), unit: "percent", ...bar(70) });
}

async function chinese({ client, emit, tell }: Accuracy, model: string): Promise<void> {
  const read = (part: string) => readRows<Pair & { label: string }>(`fewclue_bustm/${part}`);
  const [train, test] = [read("train_few_all"), read("test_public")];
  if (!train || !test) return tell(`fewclue_bustm: left out, it is not in ${whereDataIsSought}`);
  const isAlike = ({ label }: { label: string }) => String(label) === "1";
  const least = bestThreshold(await cosinesOf(client, model, train), train.map(isAlike));
  const cosines = await cosinesOf(client, model, test);
  const right = test.filter((pair, i) => cosines[i]! >= least === isAlike(pair)).length;
  emit({ case: "similarity/bustm", value: (100 * right) / test.length, unit: "percent", ...bar(62) });
}

const perCall = 256;

async function cosinesOf(client: OpenAI, model: string, pairs: readonly Pair[]): Promise<number[]> {
  const texts = pairs.flatMap(({ text_a, text_b }) => [text_a, text_b]);
  const vectors: number[][] = [];
  for (let at = 0; at < texts.length; at += perCall) {
    const { data } = await client.embeddings.create({ model, input: texts.slice(at, at + perCall) });
    vectors.push(...data.map(({ embedding }) => embedding));
  }
  const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return pairs.map((_, i) => product(vectors[2 * i]!, vectors[2 * i + 1]!));
}
