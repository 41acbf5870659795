/** A base's files, written from those it was made of and weights that have learned. */
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tensors } from "../training/fitGraph.ts";
import { readWeights } from "../weights/checkpointFiles.ts";
import { type StoredTensor, writeSafetensors } from "../weights/safetensors.ts";

const besideWeights = /^(config|tokenizer|tokenizer_config|special_tokens_map|generation_config|vocab)\.(json|txt)$/;

/**
 * The directory appears whole, in the place of one that was there. Weights that were not trained are the old base's own.
 * `half` stores float16.
 */
export async function writeBase(path: string, from: string, weights: Tensors, { half = false } = {}): Promise<void> {
  const unfinished = `${path}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  for (const file of await readdir(from)) {
    if (besideWeights.test(file)) await copyFile(join(from, file), join(unfinished, file));
  }
  const all = { ...Object.fromEntries(await readWeights(from)), ...weights };
  const stored = Object.entries(all).map(([name, tensor]) => [name, half ? halved(tensor) : tensor] as const);
  const file = writeSafetensors(Object.fromEntries(stored), { format: "pt" });
  await writeFile(join(unfinished, "model.safetensors"), file);
  await rm(path, { recursive: true, force: true });
  await rename(unfinished, path);
}

/** Rounded to float16. Throws RangeError for a number that is beyond it. */
export function halved({ shape, data }: Tensors[string]): StoredTensor {
  const half = Float16Array.from(data as Float32Array);
  const lost = half.findIndex((value) => !Number.isFinite(value));
  if (lost >= 0) throw new RangeError(`${data[lost]} is beyond what float16 holds`);
  return { shape, data: new Uint16Array(half.buffer), dataType: "float16" };
}
