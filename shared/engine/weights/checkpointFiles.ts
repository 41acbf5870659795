/** A checkpoint's files as Hugging Face lays them out: `config.json`, and weights in one safetensors file or in shards. */
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Tensor } from "../dataTypes.ts";
import { isNestedDeeper } from "../jsonDepth.ts";
import { CheckpointError } from "./checkpointConfig.ts";
import { toFloat32 } from "./floats.ts";
import { readSafetensors } from "./safetensors.ts";

/** Of weights: what one buffer of Node.js holds. Of all else: several times the largest tokenizer there is. */
const most = { weights: 2 ** 31 - 1, others: 256 * 2 ** 20 };
const deepest = 100;

/**
 * The content of a file of the directory, or undefined where there is none. Throws CheckpointError for what is no plain file,
 * which may have no end, and for one that is too large.
 */
export async function readIfPresent(directory: string, file: string): Promise<Buffer | undefined> {
  const path = join(directory, file);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!found) return undefined;
  if (!found.isFile()) throw new CheckpointError(`${file} is no file`);
  const isWeights = file.endsWith(".safetensors");
  const limit = isWeights ? most.weights : most.others;
  if (found.size <= limit) return readFile(path);
  const way = isWeights ? "; save it in shards" : "";
  throw new CheckpointError(`${file} has ${found.size} bytes; at most ${limit} can be read${way}`);
}

/** A JSON object. Throws CheckpointError naming the file where it is absent or something else. */
export async function readJsonObject(directory: string, file: string): Promise<Record<string, unknown>> {
  const bytes = await readIfPresent(directory, file);
  if (!bytes) throw new CheckpointError(`${file} is missing`);
  return parseJsonObject(bytes, file);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function parseJsonObject(bytes: Uint8Array, file: string): Record<string, unknown> {
  if (isNestedDeeper(bytes, deepest)) throw new CheckpointError(`${file} is nested more than ${deepest} deep`);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new CheckpointError(`${file} is not JSON`, { cause });
  }
  if (isObject(value)) return value;
  throw new CheckpointError(`${file} is not a JSON object`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const whole = "model.safetensors";
const index = "model.safetensors.index.json";

/**
 * Every tensor of the weights by its name in the file, as float32: from `model.safetensors`, or from the shards that
 * `model.safetensors.index.json` lists. Throws CheckpointError for a file that is missing, a tensor that is not where
 * the index says, or one that holds no floating-point numbers; SafetensorsError for a broken file.
 */
export async function readWeights(directory: string): Promise<Map<string, Tensor>> {
  const bytes = await readIfPresent(directory, whole);
  if (bytes) return readFloats(bytes);
  const listed = await readIfPresent(directory, index);
  if (!listed) throw new CheckpointError(`neither ${whole} nor ${index} is there`);
  return readShards(directory, weightMap(listed));
}

function readFloats(bytes: Uint8Array): Map<string, Tensor> {
  return new Map([...readSafetensors(bytes).tensors].map(([name, tensor]) => [name, toFloat32(name, tensor)]));
}

/** File by tensor name. */
function weightMap(bytes: Buffer): ReadonlyMap<string, string> {
  const { weight_map: map } = parseJsonObject(bytes, index);
  if (!isObject(map)) throw new CheckpointError(`${index}: "weight_map" must be an object`);
  for (const [name, file] of Object.entries(map)) {
    // A shard lies beside its index: a path could lead anywhere on this machine.
    if (typeof file !== "string" || basename(file) !== file || !file.endsWith(".safetensors")) {
      throw new CheckpointError(`${index}: tensor "${name}" lies in ${JSON.stringify(file)}, which is no file name`);
    }
  }
  return new Map(Object.entries(map) as [string, string][]);
}

async function readShards(directory: string, map: ReadonlyMap<string, string>): Promise<Map<string, Tensor>> {
  const weights = new Map<string, Tensor>();
  for (const file of [...new Set(map.values())].sort()) {
    const bytes = await readIfPresent(directory, file);
    if (!bytes) throw new CheckpointError(`${file} is missing, though ${index} lists it`);
    for (const [name, tensor] of readFloats(bytes)) {
      if (map.get(name) !== file)
        throw new CheckpointError(`${file} holds "${name}", which ${index} does not put there`);
      weights.set(name, tensor);
    }
  }
  const lost = [...map.keys()].find((name) => !weights.has(name));
  if (lost !== undefined) throw new CheckpointError(`"${lost}" is not in ${map.get(lost)}, where ${index} puts it`);
  return weights;
}
