/** Texts as batches of token ids, and what a model answers about them. */
import { type Model, mixSeeds, permutation, type Tensor, toOnnx } from "../../shared/engine/index.ts";
import { encodeTokens } from "../../shared/engine/models/encoderClassifier.ts";
import { createSession } from "../../shared/engine/runtime/session.ts";
import { padBatch } from "../../shared/engine/training/textBatches.ts";
import type { DataSet } from "./dataSets.ts";
import { threads } from "./trainingStepper.ts";

export const batch = 64;
/** Batches cut from one sorted run. */
const runLength = 16;

export interface Example {
  readonly ids: Int32Array;
  readonly label: string;
}

export function encode(rows: DataSet["train"]): Example[] {
  return rows.map(({ text, label }) => ({ ids: encodeTokens(text), label }));
}

/** An epoch's batches, of texts of like length, so that little is padding: cut from sorted runs, in random order. */
export function batchesOf(examples: readonly Example[], seed: number, epoch: number): Example[][] {
  const shuffled = Array.from(permutation(examples.length, mixSeeds(seed, epoch)), (row) => examples[row]!);
  const batches: Example[][] = [];
  for (let start = 0; start < shuffled.length; start += batch * runLength) {
    const run = shuffled.slice(start, start + batch * runLength).sort((a, b) => a.ids.length - b.ids.length);
    for (let at = 0; at < run.length; at += batch) batches.push(run.slice(at, at + batch));
  }
  return Array.from(permutation(batches.length, mixSeeds(seed, epoch)), (index) => batches[index]!);
}

export function fed(examples: readonly Example[], { labels }: DataSet): Record<string, Tensor> {
  const found = Int32Array.from(examples, ({ label }) => labels.indexOf(label));
  return { ...padBatch(examples.map(({ ids }) => ids)), labels: { shape: [examples.length], data: found } };
}

/** The label of each text of the test. */
export async function answersOf(model: Model, { test, labels }: DataSet): Promise<string[]> {
  const session = await createSession(toOnnx(model), { threads });
  const texts = test.map(({ text }) => encodeTokens(text));
  const byLength = [...texts.keys()].sort((a, b) => texts[a]!.length - texts[b]!.length);
  const answers: string[] = [];
  for (let start = 0; start < byLength.length; start += batch) {
    const rows = byLength.slice(start, start + batch);
    const data = (await session.run(padBatch(rows.map((row) => texts[row]!)))).logits!.data as Float32Array;
    for (const [i, row] of rows.entries()) {
      const own = data.subarray(i * labels.length, (i + 1) * labels.length);
      answers[row] = labels[own.indexOf(Math.max(...own))]!;
    }
  }
  await session.release();
  return answers;
}

/** Percent of the texts that two have the same label for. */
export function alike(found: readonly string[], expected: readonly string[]): number {
  return (100 * found.filter((label, row) => label === expected[row]).length) / expected.length;
}
