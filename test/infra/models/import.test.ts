/** Folders become bases: checked tensor by tensor before anything is stored, and there as a whole or not at all. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { idFrom, importBase, requireId } from "../../../infra/models/importBase.ts";
import { openFolder } from "../../../infra/models/source.ts";
import { wordPiece } from "../../../shared/engine/tokenizers/wordPiece.ts";
import { baseDigest } from "../../../shared/schemas/base.ts";
import { createBaseFiles } from "../../../shared/serving/baseFiles.ts";
import type { Stores } from "../../../shared/stores/stores.ts";
import { withDirectory } from "../../shared/engine/models/tinyModels.ts";
import { tensor } from "../../shared/engine/run.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { sharedFile } from "../../support/sharedFiles.ts";
import { tinyCheckpoint } from "../../support/tinyCheckpoint.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
afterEach(async () => {
  for (const { id } of await cloud.stores.bases.list()) await cloud.stores.bases.delete(id);
  for (const key of await keys()) await cloud.stores.objects.delete(key);
});
after(() => cloud.close());

async function keys(): Promise<string[]> {
  const found = await cloud.aws.s3.send(new ListObjectsV2Command({ Bucket: cloud.names.bucket, Prefix: "bases/" }));
  return (found.Contents ?? []).map(({ Key }) => Key!);
}

interface How {
  id?: string;
  replace?: boolean;
  heavy?: boolean;
  stores?: Pick<Stores, "bases" | "objects">;
}

const importFiles = (
  content: Record<string, object | string>,
  { id = "tiny", replace = false, heavy, stores }: How = {},
) =>
  withDirectory(content, async (folder) => {
    const { directory, files } = await openFolder(folder);
    return importBase(stores ?? cloud.stores, { id, directory, files, replace, heavy });
  });

const files = tinyCheckpoint();
const weights = files["model.safetensors"];
/** The same model with other numbers. */
const other = { ...files, "vocab.txt": files["vocab.txt"].replace("a\nb", "b\na") };

describe("an import", () => {
  it("stores what is needed under the base's digest, and its files come back as they were", async () => {
    const { record, outcome } = await importFiles({
      ...files,
      "tokenizer_config.json": {},
      "generation_config.json": { eos_token_id: [3] },
      "chat_template.jinja": "{{ messages[0].content }}",
      "README.md": "# Tiny",
    });
    assert.equal(outcome, "imported");
    const settings = ["tokenizer_config.json", "generation_config.json", "chat_template.jinja"];
    const names = ["config.json", "vocab.txt", ...settings, "model.safetensors"];
    assert.deepEqual(
      record.files.map(({ name }) => name),
      names,
    );
    assert.equal(record.digest, baseDigest(record.files));
    assert.deepEqual(await keys(), names.map((name) => `bases/tiny/${record.digest}/${name}`).sort());
    assert.deepEqual(await cloud.stores.bases.get("tiny"), record);
    const { path } = await createBaseFiles(cloud.stores.objects, cloud.home).open(record);
    assert.deepEqual((await openFolder(path)).files, names);
  });

  it("marks a base as heavy, also one that was imported before", async () => {
    const { record } = await importFiles(files);
    assert.equal(record.heavy, undefined);
    const marked = await importFiles(files, { heavy: true });
    assert.deepEqual(marked, { record: { ...record, heavy: true }, outcome: "replaced" });
    assert.deepEqual(await cloud.stores.bases.get("tiny"), marked.record);
    assert.equal((await importFiles(files, { heavy: true })).outcome, "unchanged");
    assert.equal((await importFiles(other, { replace: true, heavy: true })).record.heavy, true);
  });

  it("again changes nothing, and other content under the id is refused unless it is to replace it", async () => {
    const { record } = await importFiles(files);
    assert.deepEqual(await importFiles(files), { record, outcome: "unchanged" });
    const stored = await keys();
    await assert.rejects(importFiles(other), /"tiny" is taken by a base of other content: .* --replace/);
    assert.deepEqual([await keys(), await cloud.stores.bases.get("tiny")], [stored, record]);

    const replaced = await importFiles(other, { replace: true });
    assert.equal(replaced.outcome, "replaced");
    assert.notEqual(replaced.record.digest, record.digest);
    assert.deepEqual(await cloud.stores.bases.list(), [replaced.record]);
    // Models tuned from the earlier content still need it.
    assert.ok(stored.every((key) => replaced.record.files.every(({ object_key }) => object_key !== key)));
    assert.equal((await keys()).length, 6);
  });

  it("that is killed before its end leaves no base, and the next one completes it", async () => {
    const { objects, bases } = cloud.stores;
    const killed = {
      bases,
      objects: {
        ...objects,
        putFile: async (key: string, path: string) => {
          if (key.endsWith("model.safetensors")) throw new Error("killed");
          return objects.putFile(key, path);
        },
      },
    };
    await assert.rejects(importFiles(files, { stores: killed }), /killed/);
    assert.equal((await keys()).length, 2);
    assert.deepEqual(await bases.list(), []);
    assert.equal((await importFiles(files)).outcome, "imported");
    assert.equal((await keys()).length, 3);
  });

  it("of two at the same time under one id, one wins whole", async () => {
    const results = await Promise.allSettled([importFiles(files), importFiles(other)]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const [base] = await cloud.stores.bases.list();
    assert.equal(base!.digest, baseDigest(base!.files));
  });

  it("of a model in its authors' own form", sharedFile("models/stories260K"), async () => {
    const { directory, files: found } = await openFolder(sharedFile("models/stories260K").path);
    await importBase(cloud.stores, { id: "stories", directory, files: found, replace: false });
    const { path } = await createBaseFiles(cloud.stores.objects, cloud.home).open(
      (await cloud.stores.bases.get("stories"))!,
    );
    assert.deepEqual((await openFolder(path)).files, ["config.json", "tokenizer.json", "model.safetensors"]);
  });
});

describe("a folder is refused", () => {
  const without = (name: string) => Object.fromEntries(Object.entries(files).filter(([file]) => file !== name));
  const changed = (change: Record<string, unknown>) => {
    const kept = Object.entries({ ...weights, ...change }).filter(([, value]) => value);
    return { ...files, "model.safetensors": Object.fromEntries(kept) };
  };
  const word = "bert.embeddings.word_embeddings.weight";
  const tokenizer = {
    ...wordPiece(files["vocab.txt"], {}),
    added_tokens: [{ id: 41, content: "[NEW]", special: true, normalized: false }],
  };
  const faults: Record<string, [Record<string, object | string>, RegExp]> = {
    "without a configuration": [without("config.json"), /has no config\.json/],
    "without a tokenizer": [without("vocab.txt"), /has no tokenizer\.json and no vocab\.txt/],
    "without weights": [
      without("model.safetensors"),
      /has no model\.safetensors and no model\.safetensors\.index\.json/,
    ],
    "of an architecture the engine has not": [
      { ...files, "config.json": { ...files["config.json"], model_type: "mamba" } },
      /"model_type" must be one of bert.*, and is "mamba"/,
    ],
    "without a tensor": [changed({ [word]: undefined }), new RegExp(`"${word}" \\[40, 16\\] is missing`)],
    "with a tensor of another shape": [
      changed({ [word]: tensor([2, 16], new Float32Array(32)) }),
      new RegExp(`"${word}" is \\[2, 16\\], not \\[40, 16\\]`),
    ],
    "with a tensor too many in its body": [
      changed({ "bert.extra": tensor([1], [1]) }),
      /"bert\.extra" \[1\] belongs to no part of the model/,
    ],
    "with a tensor that no head has": [
      changed({ "projection.weight": tensor([1], [1]) }),
      /hold what is no part of the model: "projection\.weight"/,
    ],
    "with broken weights": [{ ...files, "model.safetensors": {} }, /is missing/],
    "with a tokenizer of a larger vocabulary": [
      { ...files, "vocab.txt": files["vocab.txt"].concat("another\n") },
      /tokenizer has a token 40, and the model in config\.json only 40 tokens/,
    ],
    "with a token added behind the vocabulary": [
      { ...files, "tokenizer.json": tokenizer },
      /has a token 41, and the model in config\.json only 40 tokens/,
    ],
  };
  for (const [reason, [content, message]] of Object.entries(faults)) {
    it(reason, async () => {
      await assert.rejects(importFiles(content), message);
      assert.deepEqual(await keys(), []);
    });
  }

  it("with a file whose name could not be read back", async () => {
    const shard = "my shard.safetensors";
    const { "model.safetensors": _, ...described } = files;
    const map = { weight_map: Object.fromEntries(Object.keys(weights).map((name) => [name, shard])) };
    const content = { ...described, "model.safetensors.index.json": map, [shard]: weights };
    await assert.rejects(importFiles(content), /"my shard\.safetensors" cannot be a file's name here/);
    assert.deepEqual(await keys(), []);
  });

  it("that is not there", () => assert.rejects(openFolder("/nowhere/at-all"), /\/nowhere\/at-all is no folder/));
});

describe("an id", () => {
  it("is the folder's or repository's name, in letters that ids have", () => {
    assert.equal(idFrom("all-MiniLM-L6-v2"), "all-minilm-l6-v2");
    assert.equal(idFrom("_My Model (v2)"), "my-model-v2-");
  });

  it("is refused where it could be mistaken", () => {
    for (const id of ["", "..", "ft:tiny", "Tiny", "a/b", "x".repeat(101)]) {
      assert.throws(() => requireId(id), /cannot be the id of a base/, id);
    }
    assert.throws(() => requireId("millrace-ngram"), /"millrace-ngram" comes with Millrace/);
    assert.throws(() => idFrom("模型"), /cannot be the id of a base: give one with --id/);
  });
});
