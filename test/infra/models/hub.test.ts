/** Bases from the hub: private ones with a token, over connections that break, and never with other bytes than promised. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { createHub } from "../../../infra/models/hub.ts";
import { openHub } from "../../../infra/models/source.ts";
import { writeSafetensors } from "../../../shared/engine/index.ts";
import { tinyCheckpoint } from "../../support/tinyCheckpoint.ts";
import { commit, type HubServer, type HubServerOptions, repository, startHub } from "./hubServer.ts";

const { "config.json": config, "vocab.txt": vocabulary, "model.safetensors": tensors } = tinyCheckpoint();
const weights = writeSafetensors(tensors);
const files = {
  "README.md": "# Tiny",
  "config.json": JSON.stringify(config),
  "model.safetensors": weights,
  "pytorch_model.bin": "pickled",
  "onnx/model.onnx": "graph",
  "vocab.txt": vocabulary,
};
const needed = ["config.json", "vocab.txt", "model.safetensors"];

let downloads: string;
let server: HubServer | undefined;
beforeEach(async () => {
  downloads = await mkdtemp(join(tmpdir(), "millrace-hub-"));
});
afterEach(async () => {
  await server?.close();
  await rm(downloads, { recursive: true });
});

async function serve(options: Partial<HubServerOptions> = {}): Promise<HubServer> {
  await server?.close();
  server = await startHub({ files, ...options });
  return server;
}

const fetchTiny = ({
  token,
  name = repository,
  revision = "main",
}: {
  token?: string;
  name?: string;
  revision?: string;
} = {}) =>
  openHub(
    createHub({ endpoint: server!.url, token }),
    { repository: name, revision, downloads },
    { pauseMilliseconds: 1 },
  );

const directory = () => join(downloads, repository.replace("/", "--"), commit);
const ranges = () => server!.seen.filter(({ file }) => file === "model.safetensors").map(({ range }) => range);

test("what makes the base is fetched, the rest is left, and the downloads go when they are discarded", async () => {
  await serve();
  const source = await fetchTiny();
  assert.equal(source.name, "Tiny-BERT");
  assert.deepEqual([source.files, (await readdir(source.directory)).sort()], [needed, [...needed].sort()]);
  assert.deepEqual(
    server!.seen.map(({ file }) => file),
    needed,
  );
  assert.deepEqual(await readFile(join(source.directory, "model.safetensors")), Buffer.from(weights));
  await source.discard();
  assert.deepEqual(await readdir(downloads), []);
});

test("a cut connection is gone on with where it broke, and so is what a killed import left", async () => {
  await serve({ cuts: { file: "model.safetensors", bytes: [1000, 500, 1] } });
  const source = await fetchTiny();
  assert.deepEqual(await readFile(join(source.directory, "model.safetensors")), Buffer.from(weights));
  assert.deepEqual(ranges(), [undefined, "bytes=1000-", "bytes=1500-", "bytes=1501-"]);

  await source.discard();
  await mkdir(directory(), { recursive: true });
  await writeFile(join(directory(), "model.safetensors.part"), weights.subarray(0, 2000));
  await writeFile(join(directory(), "config.json"), files["config.json"]);
  server!.seen.length = 0;
  await fetchTiny();
  assert.deepEqual(ranges(), ["bytes=2000-"]);
  assert.deepEqual(
    server!.seen.map(({ file }) => file),
    ["vocab.txt", "model.safetensors"],
  );
});

test("a download that was killed before its last check is checked, not fetched again", async () => {
  await serve({ headersOnly: true });
  await mkdir(directory(), { recursive: true });
  await writeFile(join(directory(), "model.safetensors.part"), weights);
  await fetchTiny();
  assert.deepEqual(ranges(), [`bytes=${weights.length}-`]);
});

test("a store without ranges is read from the start", async () => {
  await serve({ cuts: { file: "model.safetensors", bytes: [700] }, noRanges: true });
  const source = await fetchTiny();
  assert.deepEqual(await readFile(join(source.directory, "model.safetensors")), Buffer.from(weights));
});

test("bytes other than promised are refused and not kept, wherever the promise stands", async () => {
  for (const [file, wrong, options] of [
    ["model.safetensors", "0".repeat(64), {}],
    ["model.safetensors", "1".repeat(64), { headersOnly: true }],
    ["vocab.txt", "2".repeat(40), {}],
  ] as const) {
    await rm(directory(), { recursive: true, force: true });
    await serve({ ...options, digests: { [file]: wrong } });
    await assert.rejects(fetchTiny(), new RegExp(`${file} of acme/Tiny-BERT has digest .*the hub promises ${wrong}`));
    assert.ok(!existsSync(join(directory(), file)) && !existsSync(join(directory(), `${file}.part`)));
  }
  await serve({ headersOnly: true });
  await fetchTiny();
});

test("a busy hub is asked again, and one that stays so is told of", async () => {
  await serve({ failures: [503, 429, 500] });
  await fetchTiny();
  await rm(directory(), { recursive: true });
  await serve({ failures: [503, 503, 503, 503, 503] });
  await assert.rejects(fetchTiny(), /config\.json of acme\/Tiny-BERT: the hub answered 503/);
});

test("the token opens a private repository, and is not shown to the store that the hub leads to", async () => {
  await serve({ token: "hf_secret" });
  await assert.rejects(fetchTiny(), /answered 401\. It is private or gated, or not there: set HF_TOKEN/);
  await assert.rejects(fetchTiny({ token: "hf_other" }), /401/);
  await fetchTiny({ token: "hf_secret" });
  assert.deepEqual(
    server!.seen.map(({ file, authorization }) => [file, authorization]),
    [
      ["config.json", "Bearer hf_secret"],
      ["vocab.txt", "Bearer hf_secret"],
      ["model.safetensors", undefined],
    ],
  );
});

test("what is not there, or cannot be served, is refused by name before its weights are fetched", async () => {
  await serve();
  await assert.rejects(fetchTiny({ name: "acme/none" }), /acme\/none at main: the hub has no such thing/);
  await assert.rejects(fetchTiny({ revision: "v9/x" }), /acme\/Tiny-BERT at v9\/x: the hub has no such thing/);
  await assert.rejects(fetchTiny({ name: "../acme" }), /"\.\.\/acme" is no repository of the hub/);
  await serve({ files: { ...files, "config.json": '{"model_type":"mamba"}' } });
  await assert.rejects(fetchTiny(), /"model_type" must be one of bert.*, and is "mamba"/);
  const { "vocab.txt": _, ...without } = files;
  await serve({ files: without });
  await assert.rejects(fetchTiny(), /has no tokenizer\.json and no vocab\.txt/);
  assert.deepEqual(ranges(), []);
});

test("shards are those that the index names, and none outside the repository's folder", async () => {
  const entries = Object.entries(tensors);
  const shard = (part: typeof entries) => writeSafetensors(Object.fromEntries(part));
  const [a, b] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const map = Object.fromEntries(entries.map(([name], i) => [name, i < 9 ? a : b]));
  const { "model.safetensors": _, ...described } = files;
  const sharded = (weight_map: object) => ({
    ...described,
    "model.safetensors.index.json": JSON.stringify({ weight_map }),
    [a]: shard(entries.slice(0, 9)),
    [b]: shard(entries.slice(9)),
    "extra.safetensors": "not listed",
  });
  await serve({ files: sharded(map) });
  const { files: fetched } = await fetchTiny();
  assert.deepEqual(fetched, ["config.json", "vocab.txt", "model.safetensors.index.json", a, b]);
  for (const lost of ["../../escaped.safetensors", "model-9.safetensors"]) {
    await rm(directory(), { recursive: true });
    await serve({ files: sharded({ ...map, more: lost }) });
    await assert.rejects(fetchTiny(), /is missing, though model\.safetensors\.index\.json lists it/);
  }
});
