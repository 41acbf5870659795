/** `npm run models`: what an operator types, and what comes of it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeState } from "../../infra/local/state.ts";
import { type Call, commands } from "../../infra/models/commands.ts";
import { writeSafetensors } from "../../shared/engine/index.ts";
import { withDirectory } from "../shared/engine/models/tinyModels.ts";
import { type Cloud, openCloud } from "../support/deployment.ts";
import { tinyCheckpoint } from "../support/tinyCheckpoint.ts";
import { startHub } from "./models/hubServer.ts";

const program = fileURLToPath(new URL("../../infra/models.ts", import.meta.url));
const files = tinyCheckpoint();
let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

interface Answer {
  code: number | null;
  out: string;
  errors: string;
}

/** As on a machine where nothing but `environment` and the local state tells of a deployment. */
async function models(
  args: readonly string[],
  environment: Record<string, string> = cloud.environment,
): Promise<Answer> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, MILLRACE_HOME: cloud.home, ...environment };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const answer: Answer = { code: null, out: "", errors: "" };
  child.stdout.on("data", (chunk) => (answer.out += chunk));
  child.stderr.on("data", (chunk) => (answer.errors += chunk));
  [answer.code] = await once(child, "close");
  return answer;
}

async function succeeds(args: readonly string[], environment?: Record<string, string>): Promise<string> {
  const { code, out, errors } = await models(args, environment);
  assert.equal(code, 0, errors);
  return out;
}

async function fails(args: readonly string[], message: RegExp, environment?: Record<string, string>): Promise<void> {
  const { code, errors } = await models(args, environment);
  assert.match(errors, message);
  assert.doesNotMatch(errors, /\n\s+at /, "a stack trace is no answer");
  assert.equal(code, 1);
}

/** The command without a process of its own. */
async function run(name: string, subject: string, options: Call["options"] = {}): Promise<string> {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const { stores, home } = cloud;
  await commands[name]!.run({ subject, options, environment: {}, home, stores, print, progress: () => {} });
  return lines.join("\n");
}

test("a folder is imported, listed and removed", async () => {
  const id = "tiny";
  await withDirectory(files, async (folder) => {
    assert.match(
      await run("import", folder, { id }),
      /^tiny: imported, .*3 files of 0\.0 MB, digest \w{12}\n {2}float32: /,
    );
    assert.match(await run("import", folder, { id }), /^tiny: unchanged/);
    await assert.rejects(run("import", folder, { id: "Tiny" }), /"Tiny" cannot be the id of a base/);
  });
  await withDirectory({ ...files, "tokenizer_config.json": "{}" }, async (folder) => {
    await assert.rejects(run("import", folder, { id }), /"tiny" is taken by a base of other content/);
    assert.match(await run("import", folder, { id, replace: true }), /^tiny: replaced, .*4 files/);
  });
  assert.match(
    await run("list", ""),
    /^millrace-ngram {2}comes with Millrace, ngram\n(.*\n)*tiny {2}imported .*4 files/,
  );
  const { files: stored } = (await cloud.stores.bases.get("tiny"))!;
  assert.equal(await run("remove", "tiny", { files: true }), "tiny: removed with its files");
  assert.equal(await cloud.stores.bases.get("tiny"), undefined);
  assert.equal(await cloud.stores.objects.get(stored[0]!.object_key), undefined);
  await assert.rejects(run("remove", "tiny"), /There is no base "tiny"/);
  await assert.rejects(run("remove", "millrace-ngram"), /comes with Millrace and cannot be removed/);
  await assert.rejects(run("import", "x", { revision: "v1" }), /--revision is for repositories of the hub/);
});

test("a removed base leaves its files to the models tuned from it", async () => {
  await withDirectory(files, (folder) => run("import", folder, { id: "tiny" }));
  const { files: stored } = (await cloud.stores.bases.get("tiny"))!;
  assert.match(await run("remove", "tiny"), /its files stay/);
  assert.ok(await cloud.stores.objects.get(stored[0]!.object_key));
});

test("a repository of the hub is imported under its own name, and its downloads are cleared away", async () => {
  const content = {
    "config.json": JSON.stringify(files["config.json"]),
    "model.safetensors": writeSafetensors(files["model.safetensors"]),
    "vocab.txt": files["vocab.txt"],
  };
  const hub = await startHub({
    files: content,
    token: "hf_secret",
    cuts: { file: "model.safetensors", bytes: [5000] },
  });
  try {
    const environment = { ...cloud.environment, HF_ENDPOINT: hub.url, HF_TOKEN: "hf_secret" };
    const { code, out, errors } = await models(["import", "hf:acme/Tiny-BERT"], environment);
    assert.equal(code, 0, errors);
    assert.match(out, /^tiny-bert: imported/);
    assert.match(errors, /^config\.json: 0\.0 of 0\.0 MB\n(.*\n)*model\.safetensors: 0\.0 of 0\.0 MB\n/);
    assert.deepEqual(await readdir(join(cloud.home, "hub")), []);
    assert.equal((await cloud.stores.bases.get("tiny-bert"))?.files.length, 3);
  } finally {
    await hub.close();
  }
});

test("without a deployment in the environment, that of `npm start` is worked on while it runs", async () => {
  await fails(["list"], /MILLRACE_QUEUE_URL is not set, and no Millrace runs on the state in .*Run `npm start`/, {});
  const state = { base_url: "http://127.0.0.1:1/v1", api_key: "sk-millrace-test", environment: cloud.environment };
  writeState(cloud.home, { ...state, pid: process.pid });
  assert.match(await succeeds(["list"], {}), /^millrace-ngram/);
  // No process has so high an id on Linux, where the limit is 2^22.
  writeState(cloud.home, { ...state, pid: 2 ** 22 + 1 });
  await fails(["list"], /no Millrace runs/, {});
  await rm(join(cloud.home, "local.json"));
});

test("what it cannot make sense of is answered with its usage", async () => {
  await fails(["constructor", "x"], /^Usage:\n.*import </);
  await fails(["import", "x", "--rplace"], /Unknown option '--rplace'/);
});
