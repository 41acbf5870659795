/** Imported bases on local disk: fetched once, checked, and whole or not there. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { BaseRecord } from "../../../shared/schemas/base.ts";
import { createBaseFiles } from "../../../shared/serving/baseFiles.ts";
import type { Objects } from "../../../shared/stores/objects.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";

const content = { "config.json": "{}", "vocab.txt": "a\nb\n", "model.safetensors": "weights" };
let cloud: Cloud;
let base: BaseRecord;
let directory: string;
before(async () => {
  cloud = await openCloud();
  base = await addBase(cloud.stores, "tiny", content);
});
beforeEach(async () => {
  directory = join(cloud.home, "bases");
  await rm(directory, { recursive: true, force: true });
});
after(() => cloud.close());

/** The store's own downloads, counted. */
function counted(): Pick<Objects, "download"> & { keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    download(key, path, digest) {
      keys.push(key);
      return cloud.stores.objects.download(key, path, digest);
    },
  };
}

async function holdsAll(path: string): Promise<void> {
  assert.deepEqual((await readdir(path)).sort(), Object.keys(content).sort());
  for (const [name, text] of Object.entries(content)) assert.equal(await readFile(join(path, name), "utf8"), text);
}

test("who asks at once waits for one download, and who comes later finds it, in another process too", async () => {
  const objects = counted();
  const files = createBaseFiles(objects, directory);
  const opened = await Promise.all([files.open(base), files.open(base), files.open(base)]);
  await holdsAll(opened[0].path);
  assert.deepEqual(new Set(opened.map(({ path }) => path)), new Set([join(directory, base.digest)]));
  await files.open(base);
  await createBaseFiles(objects, directory).open(base);
  assert.deepEqual(objects.keys.sort(), base.files.map(({ object_key }) => object_key).sort());
});

test("two processes that fetch at the same time both end with the whole", async () => {
  const opened = await Promise.all([1, 2].map(() => createBaseFiles(cloud.stores.objects, directory).open(base)));
  assert.equal(opened[0]!.path, opened[1]!.path);
  await holdsAll(opened[0]!.path);
  assert.deepEqual(await readdir(directory), [base.digest]);
});

test("an altered or missing object leaves nothing behind, and the next one who asks tries again", async () => {
  const files = createBaseFiles(cloud.stores.objects, directory);
  const faulty = (change: object) => {
    return { ...base, files: base.files.map((file) => (file.name === "vocab.txt" ? { ...file, ...change } : file)) };
  };
  await assert.rejects(files.open(faulty({ digest: "0".repeat(64) })), /vocab\.txt has digest \w+, expected 0{64}/);
  await assert.rejects(files.open(faulty({ object_key: "bases/none" })), /Object bases\/none is missing/);
  assert.deepEqual(await readdir(directory), []);
  await holdsAll((await files.open(base)).path);
});

test("what a killed process left unfinished is not taken for the base", async () => {
  await mkdir(join(directory, "partial-killed"), { recursive: true });
  await writeFile(join(directory, "partial-killed", "config.json"), "{");
  await holdsAll((await createBaseFiles(cloud.stores.objects, directory).open(base)).path);
});
