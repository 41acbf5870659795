/** Model files on local disk, fetched on first use and checked by digest; the least recently used go when there are too many. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type ArtifactConfig, readArtifact } from "../engine/training/artifact.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { Objects } from "../stores/objects.ts";

export interface OpenModelFile {
  path: string;
  config: ArtifactConfig;
  /** Lets the file go; until then it is not evicted. */
  close(): void;
}

export interface ModelFiles {
  open(model: ModelRecord): Promise<OpenModelFile>;
}

interface Entry {
  file: Promise<{ path: string; config: ArtifactConfig }>;
  bytes: number;
  users: number;
}

export interface ModelFilesOptions {
  budgetBytes: number;
  onEvict(path: string): void;
}

export function createModelFiles(objects: Objects, directory: Promise<string>, options: ModelFilesOptions): ModelFiles {
  /** In order of last use. */
  const entries = new Map<string, Entry>();

  const fetch = async (model: ModelRecord, name: string) => {
    const path = join(await directory, `${name}.safetensors`);
    await objects.download(model.object_key, path, model.digest);
    return { path, config: readArtifact(path).config };
  };

  const evict = () => {
    let total = [...entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [name, entry] of entries) {
      if (total <= options.budgetBytes) return;
      if (entry.users > 0) continue;
      entries.delete(name);
      total -= entry.bytes;
      void entry.file.then(async ({ path }) => {
        options.onEvict(path);
        await rm(path, { force: true });
      });
    }
  };

  return {
    async open(model) {
      // Named by project and content: no project is ever answered from a file fetched for another.
      const name = `${model.project_id}-${model.digest}`;
      const entry = entries.get(name) ?? { file: fetch(model, name), bytes: model.bytes, users: 0 };
      entries.delete(name);
      entries.set(name, entry);
      entry.users++;
      try {
        return { ...(await entry.file), close: () => void --entry.users };
      } catch (error) {
        entry.users--;
        if (entries.get(name) === entry) entries.delete(name);
        throw error;
      } finally {
        evict();
      }
    },
  };
}
