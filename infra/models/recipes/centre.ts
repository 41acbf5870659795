/**
 * A base whose text vectors have a mean of zero over some texts: what all of them share says nothing of any, and would make
 * every cosine larger (Mu and Viswanath 2018). It is taken from the last normalisation's bias, so nothing is added.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "../../../shared/engine/index.ts";
import { readPretrained } from "../../../shared/engine/models/pretrained.ts";
import { vectorsOf } from "./vectorsOf.ts";

/** Rewrites `model.safetensors`, of float32, in the directory of an electra base. */
export async function centreBase(directory: string, texts: readonly string[]): Promise<void> {
  const mean = await meanVector(directory, texts);
  const file = join(directory, "model.safetensors");
  const { tensors, metadata } = readSafetensors(await readFile(file));
  const { model } = await readPretrained(directory);
  const name = `electra.encoder.layer.${model.layers - 1}.output.LayerNorm.bias`;
  const { shape, data } = tensors.get(name)!;
  const bias = Float32Array.from(data as Float32Array, (value, i) => value - mean[i]!);
  const changed = { ...Object.fromEntries(tensors), [name]: { shape, data: bias } };
  await writeFile(`${file}.part`, writeSafetensors(changed, metadata));
  await rename(`${file}.part`, file);
}

async function meanVector(directory: string, texts: readonly string[]): Promise<Float64Array> {
  const { width, data } = await vectorsOf(directory, texts, 1);
  const mean = new Float64Array(width);
  for (const [i, value] of data.entries()) mean[i % width]! += value / texts.length;
  return mean;
}
