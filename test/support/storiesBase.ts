/** stories260K as an imported base: a real model that writes, small enough for tests; also with a chat template. */
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importBase } from "../../infra/models/importBase.ts";
import type { BaseRecord } from "../../shared/schemas/base.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { sharedFile } from "./sharedFiles.ts";

export const stories = sharedFile("models/stories260K");

const files = ["config.json", "tokenizer.json", "model.safetensors"];

/** Further files by name, such as `tokenizer_config.json`. */
export async function addStories(stores: Stores, id: string, more: Record<string, object> = {}): Promise<BaseRecord> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-stories-"));
  try {
    for (const file of files) await copyFile(join(stories.path, file), join(directory, file));
    for (const [file, content] of Object.entries(more)) await writeFile(join(directory, file), JSON.stringify(content));
    const { record } = await importBase(stores, { id, directory, files: await readdir(directory), replace: false });
    return record as BaseRecord;
  } finally {
    await rm(directory, { recursive: true });
  }
}
