/** The images, as far as they can be looked at without Docker: what their Dockerfiles say, and their entries as processes. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Deployment, deploy } from "../support/deployment.ts";
import { environmentOf, programOf, readDockerfile, restOf, root } from "../support/dockerfile.ts";
import { jsonl, rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";

const images = { "workers/Dockerfile": "workers/main.ts", "api/Dockerfile": "api/server.ts" };

for (const [path, entry] of Object.entries(images)) {
  describe(path, () => {
    const stages = readDockerfile(path);
    const image = stages.at(-1)!;

    test("copies what there is, from stages that there are, past what is ignored", () => {
      const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
      const copies = stages.flatMap((stage) => restOf(stage, "COPY").map((rest) => rest.split(/\s+/)));
      assert.ok(copies.length >= 4);
      for (const words of copies) {
        const [from] = words.filter((word) => word.startsWith("--from="));
        if (from)
          assert.ok(
            stages.some(({ name }) => name === from.slice("--from=".length)),
            from,
          );
        for (const source of from ? [] : words.slice(0, -1)) {
          assert.ok(existsSync(join(root, source)), source);
          assert.ok(ignored.includes(`!${source}`), `${source} is ignored`);
        }
      }
    });

    test("is not root's, runs the entry that tests start, and asks it how it is", () => {
      const [user] = restOf(image, "USER");
      assert.match(user!, /^[1-9]\d+:[1-9]\d+$/);
      assert.equal(programOf(restOf(image, "ENTRYPOINT")[0]), entry);
      assert.ok(existsSync(join(root, programOf(restOf(image, "HEALTHCHECK")[0]))));
      assert.deepEqual(restOf(image, "STOPSIGNAL"), ["SIGTERM"]);
      assert.deepEqual(restOf(image, "VOLUME"), ["/tmp"]);
      const steps = image.instructions.map(({ name, rest }) => `${name} ${rest}`);
      assert.ok(steps.indexOf("RUN touch /tmp/.millrace") < steps.indexOf(`USER ${user}`), "by whom may write there");
    });

    test("names a version of each image that it begins with", () => {
      const names = stages.map(({ name }) => name);
      const bases = stages.map(({ base }) => base).filter((base) => !names.includes(base) && !base.startsWith("$"));
      for (const base of bases) assert.match(base, /^[\w./-]+:\d+\.\d+\.\d+-[\w.-]+$/);
    });

    test("runs the Node.js that this repository is tested with", () => {
      const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
      const bases = stages.map(({ base }) => base).filter((base) => base.startsWith("node:"));
      assert.ok(bases.length > 0);
      for (const base of bases) assert.equal(base, `node:${devDependencies.node}-bookworm-slim`);
    });
  });
}

for (const path of Object.keys(images)) {
  const [first] = readDockerfile(path);
  const runs = restOf(first!, "RUN");

  test(`${path}: packages are those of the lock file, none for development, and run nothing when they are installed`, () => {
    const [install] = runs.filter((run) => run.includes("npm "));
    assert.match(install!, /^npm ci /);
    for (const flag of ["--omit=dev", "--ignore-scripts"]) assert.ok(install!.split(/\s+/).includes(flag), flag);
  });

  for (const arch of ["x64", "arm64"]) {
    test(`${path}: of ONNX Runtime's builds the one for ${arch} stays where Node.js is for ${arch}`, () => {
      const home = mkdtempSync(join(tmpdir(), "millrace-image-"));
      const builds = "node_modules/onnxruntime-node/bin/napi-v6";
      const all = readdirSync(join(root, builds), { withFileTypes: true, recursive: true });
      for (const entry of all.filter((each) => each.isDirectory()))
        mkdirSync(join(home, relative(root, entry.parentPath), entry.name), { recursive: true });
      writeFileSync(join(home, "node"), `#!/bin/sh\n[ "$*" = "-p process.arch" ] && echo ${arch}\n`, { mode: 0o755 });
      const env = { PATH: `${home}:${process.env.PATH}` };
      const prune = runs.find((run) => run.includes(builds))!;
      assert.equal(spawnSync("sh", ["-c", prune], { cwd: home, env, stdio: "inherit" }).status, 0);
      assert.deepEqual(globSync("*/*", { cwd: join(home, builds) }), [`linux/${arch}`]);
      assert.deepEqual(readdirSync(join(home, builds)), ["linux"]);
      rmSync(home, { recursive: true });
    });
  }
}

test("the worker's image is built for CUDA unless told otherwise, and its provider is installed while it is built", () => {
  const stages = readDockerfile("workers/Dockerfile");
  const names = stages.map(({ name }) => name);
  for (const variant of ["cuda", "cpu"]) assert.ok(names.includes(variant));
  assert.equal(stages.at(-1)!.base, "${" + "VARIANT}");
  assert.match(readFileSync(join(root, "workers/Dockerfile"), "utf8"), /^ARG VARIANT=cuda$/m);
  const install = restOf(stages[0]!, "RUN").find((run) => run.includes("ONNXRUNTIME_NODE_INSTALL=cuda12"))!;
  const [script] = /node_modules\/onnxruntime-node\/script\/install/.exec(install)!;
  assert.ok(existsSync(join(root, `${script}.js`)), script);
});

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

interface Container {
  process: ChildProcess;
  environment: Record<string, string>;
  healthy(): Promise<boolean>;
}

/** The entry with the image's environment and no other than AWS's; it may write below /tmp, here `scratch`, alone. */
function start(path: string, changes: Record<string, string>): Container {
  const image = readDockerfile(path).at(-1)!;
  const scratch = join(deployment.home, `scratch-${path.replaceAll("/", "-")}`);
  mkdirSync(scratch, { recursive: true });
  const set = Object.entries(environmentOf(image)).map(([name, value]) => [name, value.replace(/^\/tmp/, scratch)]);
  const environment: Record<string, string> = {
    ...{ PATH: process.env.PATH!, TMPDIR: scratch, MILLRACE_LOG_LEVEL: "silent" },
    ...Object.fromEntries(set),
    ...deployment.environment,
    ...changes,
  };
  const readOnly = ["--permission", "--allow-fs-read=*", `--allow-fs-write=${scratch}`];
  const allowed = [...readOnly, "--allow-child-process", "--allow-addons", "--allow-worker", "--no-warnings"];
  const run = (program: string, flags: readonly string[]) =>
    spawn(process.execPath, [...flags, program], {
      cwd: root,
      env: environment,
      stdio: ["ignore", "inherit", "inherit"],
    });
  return {
    process: run(programOf(restOf(image, "ENTRYPOINT")[0]), allowed),
    environment,
    async healthy() {
      const [code] = await once(run(programOf(restOf(image, "HEALTHCHECK")[0]), ["--no-warnings"]), "exit");
      return code === 0;
    },
  };
}

async function ended({ process: child }: Container): Promise<number | null> {
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  return (await exit)[0] as number | null;
}

test("the worker's entry trains a model with no directory to write but /tmp, is well, and says so no more when it stands still", async () => {
  const worker = start("workers/Dockerfile", { MILLRACE_DEVICE_THREADS: "1", MILLRACE_STOP_SECONDS: "20" });
  try {
    const file = new File([jsonl(rowsOf(8))], "train.jsonl");
    const client = deployment.client();
    const training_file = (await client.files.create({ file, purpose: "fine-tune" })).id;
    const { id } = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file });
    const over = async () => {
      const job = await client.fineTuning.jobs.retrieve(id);
      return job.finished_at !== null && job;
    };
    const job = await until(over, { what: "the job", seconds: 30 });
    assert.equal(job.status, "succeeded", JSON.stringify(job.error));
    assert.equal(await worker.healthy(), true);
    worker.process.kill("SIGSTOP");
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(worker.environment.MILLRACE_HEALTH_FILE!, longAgo, longAgo);
    assert.equal(await worker.healthy(), false);
    worker.process.kill("SIGCONT");
    assert.equal(await ended(worker), 0);
  } finally {
    worker.process.kill("SIGKILL");
  }
});

test("the API's entry answers on its port, is well, and is not when it has ended", async () => {
  const port = await freePort();
  const api = start("api/Dockerfile", { MILLRACE_PORT: String(port), MILLRACE_HOST: "127.0.0.1" });
  try {
    const up = () => fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    await until(up, { what: "the API to be up", seconds: 20 });
    assert.equal(await api.healthy(), true);
    const answer = await fetch(`http://127.0.0.1:${port}/v1/files`, {
      headers: { authorization: `Bearer ${deployment.keys.a}` },
    });
    assert.equal(answer.status, 200);
    assert.equal(await ended(api), 0);
    assert.equal(await api.healthy(), false);
  } finally {
    api.process.kill("SIGKILL");
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
