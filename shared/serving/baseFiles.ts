/** Imported bases on local disk, each in a directory of its own: fetched once, checked file by file, whole or not there. */
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { keptPromise } from "../engine/keptPromise.ts";
import type { BaseContent } from "../schemas/baseContent.ts";
import type { Objects } from "../stores/objects.ts";

export interface BaseFiles {
  /** The directory that holds the base's files under their names. Throws where an object is missing or altered. */
  open(base: BaseContent): Promise<{ path: string }>;
}

/** Processes may share the directory: what lies in it under a digest is complete, whoever fetched it. */
export function createBaseFiles(objects: Pick<Objects, "download">, directory: string | Promise<string>): BaseFiles {
  const opening = new Map<string, Promise<string>>();

  const fetch = async ({ digest, files }: BaseContent): Promise<string> => {
    const root = await directory;
    const path = join(root, digest);
    if (await isThere(path)) return path;
    await mkdir(root, { recursive: true });
    const partial = await mkdtemp(join(root, "partial-"));
    try {
      for (const file of files) await objects.download(file.object_key, join(partial, file.name), file.digest);
      await rename(partial, path).catch(async (error) => {
        // Another process was faster.
        if (!(await isThere(path))) throw error;
      });
      return path;
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  };

  return {
    async open(base) {
      return { path: await keptPromise(opening, base.digest, () => fetch(base)) };
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
