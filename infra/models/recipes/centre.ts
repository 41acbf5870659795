/**
 * A base whose text vectors have a mean of zero over some texts: what all of them share says nothing of any, and would make
 * every cosine larger (Mu and Viswanath 2018). It is taken from the last normalisation's bias, so nothing is added.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, toOnnx, WeightScope, writeSafetensors } from "../../../shared/engine/index.ts";
import { openEncoder } from "../../../shared/engine/models/adaptedBase.ts";
import { meanPooling } from "../../../shared/engine/models/encoder.ts";
import { textInputs } from "../../../shared/engine/models/languageModel.ts";
import { readPretrained, weightsFor } from "../../../shared/engine/models/pretrained.ts";
import { createSession } from "../../../shared/engine/runtime/session.ts";
import { padBatch } from "../../../shared/engine/training/textBatches.ts";

const atOnce = 32;

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

/** Of the texts' vectors, each the mean of its states. */
async function meanVector(directory: string, texts: readonly string[]): Promise<Float64Array> {
  const pretrained = await readPretrained(directory);
  const { encode } = await openEncoder(directory);
  const [scope, inputs] = [new WeightScope(), textInputs()];
  const vector = meanPooling(pretrained.model.states(scope, inputs), inputs.attention_mask);
  const initializers = weightsFor(pretrained, scope.parameters, { seed: 0 });
  const session = await createSession(toOnnx({ outputs: { vector }, initializers }), { threads: 1 });
  const mean = new Float64Array(pretrained.model.hidden);
  const ids = texts.map(encode).sort((a, b) => a.length - b.length);
  for (let at = 0; at < ids.length; at += atOnce) {
    const found = (await session.run(padBatch(ids.slice(at, at + atOnce)))).vector!.data as Float32Array;
    for (const [i, value] of found.entries()) mean[i % mean.length]! += value / texts.length;
  }
  await session.release();
  return mean;
}
