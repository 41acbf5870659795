/** Texts as batches of token ids: padded, of like length, in an order of seed and step alone. */
import type { Tensor } from "../dataTypes.ts";
import { permutation } from "../random.ts";
import { type Batches, epochByEpoch, lengthBatches } from "./batches.ts";

/** Fed where a text is shorter than its batch; the mask hides it, so any row of the token table would do. */
export const padding = 0;

export type TextBatch = Record<"input_ids" | "attention_mask", Tensor>;

/** `input_ids` and `attention_mask`, int32 [texts, longest]. */
export function padBatch(texts: readonly Int32Array[]): TextBatch {
  const longest = texts.reduce((most, { length }) => Math.max(most, length), 1);
  const shape = [texts.length, longest];
  const ids = new Int32Array(texts.length * longest).fill(padding);
  const mask = new Int32Array(texts.length * longest);
  for (const [row, text] of texts.entries()) {
    ids.set(text, row * longest);
    mask.fill(1, row * longest, row * longest + text.length);
  }
  return { input_ids: { shape, data: ids }, attention_mask: { shape, data: mask } };
}

/**
 * Batches are cut from runs of so many batches sorted by length, so that little is padding and order stays random.
 * `lengthBatches` pads less, but learned ag_news worse: see the engine's README.
 */
const batchesPerRun = 16;

/** Batches of `size` texts; each epoch has every text once, in batches and order of its own. */
export function sortedRuns(texts: readonly Int32Array[], size: number, seed: number): Batches {
  return epochByEpoch(Math.ceil(texts.length / size), (epoch) => batchesOfEpoch(texts, size, seed, epoch));
}

function batchesOfEpoch(texts: readonly Int32Array[], size: number, seed: number, epoch: number): Int32Array[] {
  const order = permutation(texts.length, seed, 2 * epoch);
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += size * batchesPerRun) {
    const run = order.slice(start, start + size * batchesPerRun).sort((a, b) => texts[a]!.length - texts[b]!.length);
    for (let at = 0; at < run.length; at += size) batches.push(run.slice(at, at + size));
  }
  return Array.from(permutation(batches.length, seed, 2 * epoch + 1), (index) => batches[index]!);
}

/** Of one call of a session, padding included; 32 texts of 128 tokens. */
const inferenceTokens = 4096;

/** Logits [texts, classes] in the order of the texts, which are asked for by `run` with texts of like length together. */
export async function logitsOf(
  run: (batch: TextBatch) => Promise<Record<string, Tensor>>,
  texts: readonly Int32Array[],
  classes: number,
): Promise<Float32Array> {
  const lengths = texts.map(({ length }) => length);
  const batches = lengthBatches({ lengths, tokenBudget: inferenceTokens, seed: 0 });
  const logits = new Float32Array(texts.length * classes);
  for (let batch = 0; batch < batches.perEpoch; batch++) {
    const rows = batches.rowsOf(batch);
    const found = (await run(padBatch(Array.from(rows, (row) => texts[row]!)))).logits!.data as Float32Array;
    rows.forEach((row, i) => {
      logits.set(found.subarray(i * classes, (i + 1) * classes), row * classes);
    });
  }
  return logits;
}
