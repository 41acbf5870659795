/** A checkpoint's files as Hugging Face lays them out: `config.json`, and weights in one safetensors file or in shards. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Tensor } from "../dataTypes.ts";
import { CheckpointError } from "./checkpointConfig.ts";
import { toFloat32 } from "./floats.ts";
import { readSafetensors } from "./safetensors.ts";

/** The content of a file of the directory, or undefined where there is none. */
export async function readIfPresent(directory: string, file: string): Promise<Buffer | undefined> {
  return readFile(join(directory, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** A JSON object. Throws CheckpointError naming the file where it is absent or something else. */
export async function readJsonObject(directory: string, file: string): Promise<Record<string, unknown>> {
  const bytes = await readIfPresent(directory, file);
  if (!bytes) throw new CheckpointError(`${file} is missing`);
  return parseJsonObject(bytes, file);
}

export function parseJsonObject(bytes: Buffer, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
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
