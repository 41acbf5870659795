/** Where a base comes from: a folder of this machine, or a repository of the hub brought to one. Both are checked whole. */
import { mkdir, readdir, realpath, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Signature } from "../../shared/schemas/tensor.ts";
import { checkDescription, checkWeights, descriptionFiles, shardFiles, weightsEntry } from "./checkpoint.ts";
import { type Hub, repositoryPattern } from "./hub.ts";
import { type DownloadOptions, downloadFile } from "./hubDownload.ts";
import { Refusal } from "./refusal.ts";

export interface Source {
  /** The folder's or repository's own name. */
  name: string;
  directory: string;
  /** Names of the files that make the base. */
  files: string[];
  /** What an ONNX file declares; absent for a checkpoint. */
  signature?: Signature;
  /** To be called when the files are no longer needed. */
  discard(): Promise<void>;
}

/** The ONNX file that a path means: itself, or the only one of a folder that holds no checkpoint. */
export async function onnxFileOf(path: string): Promise<{ file: string; name: string } | undefined> {
  if (path.endsWith(".onnx")) return { file: path, name: basename(path, ".onnx") };
  const directory = resolve(path);
  const names = await namesIn(directory);
  const found = names.filter((name) => name.endsWith(".onnx"));
  if (found.length === 0 || names.includes("config.json")) return undefined;
  if (found.length === 1) return { file: join(directory, found[0]!), name: basename(directory) };
  throw new Refusal(`${directory} holds several ONNX files: name one of them (${found.sort().join(", ")}).`);
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => {
    throw new Refusal(`${directory} is no folder that can be read.`);
  });
}

/** Throws Refusal, CheckpointError or SafetensorsError naming the file, field or tensor at fault. */
export async function openFolder(path: string): Promise<Source> {
  const directory = resolve(path);
  const names = await namesIn(directory);
  const files = descriptionFiles(names);
  const entry = weightsEntry(names);
  await requireInside(directory, [...files, entry]);
  await checkDescription(directory);
  const shards = await shardFiles(directory, entry, names);
  await requireInside(directory, shards);
  await checkWeights(directory);
  return { name: basename(directory), directory, files: [...files, entry, ...shards], discard: async () => {} };
}

/**
 * A folder of a stranger's may hold links to this machine's own files, which would be stored with the model. The hub's
 * cache links to its blobs, two folders up.
 */
async function requireInside(directory: string, files: readonly string[]): Promise<void> {
  const home = await realpath(directory);
  const blobs = basename(dirname(home)) === "snapshots" ? [resolve(home, "..", "..", "blobs")] : [];
  for (const file of files) {
    const path = await realpath(join(directory, file)).catch(() => {
      throw new Refusal(`${file} is a link to nothing.`);
    });
    if ([home, ...blobs].some((place) => dirname(path) === place)) continue;
    throw new Refusal(`${file} is a link that leads out of its folder: put the file itself there.`);
  }
}

export interface HubRequest {
  /** Such as `org/name`. */
  repository: string;
  revision: string;
  /** Where downloads lie until they are imported, so that a later import goes on with them. */
  downloads: string;
}

/** What is small comes first, so that what cannot be served is refused before its weights are fetched. */
export async function openHub(
  hub: Hub,
  { repository: name, revision, downloads }: HubRequest,
  options: DownloadOptions = {},
): Promise<Source> {
  if (!repositoryPattern.test(name)) throw new Refusal(`"${name}" is no repository of the hub: say hf:org/name.`);
  const repository = await hub.describe(name, revision);
  const names = repository.files.map((file) => file.name);
  const kept = join(resolve(downloads), name.replace("/", "--"));
  const directory = join(kept, repository.commit);
  await mkdir(directory, { recursive: true });
  const fetchAll = async (files: readonly string[]) => {
    for (const file of repository.files.filter((one) => files.includes(one.name))) {
      await downloadFile(hub, repository, file, join(directory, file.name), options);
    }
  };
  const files = descriptionFiles(names);
  const entry = weightsEntry(names);
  await fetchAll(files);
  await checkDescription(directory);
  await fetchAll([entry]);
  const shards = await shardFiles(directory, entry, names);
  await fetchAll(shards);
  await checkWeights(directory);
  const discard = () => rm(kept, { recursive: true, force: true });
  return { name: basename(name), directory, files: [...files, entry, ...shards], discard };
}
