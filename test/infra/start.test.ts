/** `npm start`: one command, one directory; stopped, killed and started again without a trace left running. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import OpenAI, { toFile } from "openai";
import type { LocalState } from "../../infra/local/state.ts";
import { childrenOf, commandOf, descendantsOf, isRunning } from "../support/processes.ts";
import { jsonl, rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";

const program = fileURLToPath(new URL("../../infra/local/start.ts", import.meta.url));
let home: string;
const started: ChildProcess[] = [];

before(async () => {
  home = await mkdtemp(join(tmpdir(), "millrace-start-"));
});
afterEach(async () => {
  // What a failed test left.
  const left = started.splice(0).filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(left.map((child) => child.kill("SIGKILL") && once(child, "exit")));
});
after(async () => {
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
});

interface Started {
  process: ChildProcess;
  state: LocalState;
  client: OpenAI;
}

function spawnStart(): { process: ChildProcess; output(): string } {
  const env = { ...process.env, MILLRACE_HOME: home, MILLRACE_LEASE_SECONDS: "2", MILLRACE_DEVICE_THREADS: "1" };
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return { process: child, output: () => output };
}

async function start(): Promise<Started> {
  const { process: child, output } = spawnStart();
  await until(() => output().includes("Millrace is up") || child.exitCode !== null, { what: "it to be up" });
  assert.match(output(), /Millrace is up/);
  const state = JSON.parse(await readFile(join(home, "local.json"), "utf8")) as LocalState;
  assert.equal(state.pid, child.pid);
  return { process: child, state, client: new OpenAI({ baseURL: state.base_url, apiKey: state.api_key }) };
}

/** Down to its last descendant; returns the exit code. */
async function stop({ process: child }: Started, signal: NodeJS.Signals): Promise<number | null> {
  const family = descendantsOf(child.pid!);
  assert.ok(family.length >= 2);
  const exit = once(child, "exit");
  child.kill(signal);
  const [code] = await exit;
  await until(() => !family.some(isRunning), { what: `all of ${family} to end`, seconds: 10 });
  return code as number | null;
}

async function train(client: OpenAI): Promise<string> {
  const file = await toFile(Buffer.from(jsonl(rowsOf(8))), "train.jsonl");
  const training_file = (await client.files.create({ file, purpose: "fine-tune" })).id;
  const { id } = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file });
  const job = await until(
    async () => {
      const seen = await client.fineTuning.jobs.retrieve(id);
      return seen.finished_at !== null && seen;
    },
    { what: "the job" },
  );
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  return job.fine_tuned_model!;
}

const workerOf = ({ process: child }: Started) =>
  childrenOf(child.pid!).find((pid) => commandOf(pid).includes("workers/main"));

async function startLongJob(client: OpenAI): Promise<string> {
  const file = await toFile(Buffer.from(jsonl(rowsOf(100))), "train.jsonl");
  const training_file = (await client.files.create({ file, purpose: "fine-tune" })).id;
  const method = { type: "supervised" as const, supervised: { hyperparameters: { n_epochs: 5, batch_size: 1 } } };
  return (await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file, method })).id;
}

describe("three lives on one directory", () => {
  let known: LocalState;
  let model: string;
  let interrupted: string;

  it("runs a job through the SDK, keeps others out, and ends every process on Ctrl-C", async () => {
    const first = await start();
    assert.equal((await stat(join(home, "local.json"))).mode & 0o777, 0o600);
    model = await train(first.client);
    const tool = fileURLToPath(new URL("../../infra/models.ts", import.meta.url));
    const env: NodeJS.ProcessEnv = { ...process.env, MILLRACE_HOME: home };
    delete env.MILLRACE_QUEUE_URL;
    const { stdout } = await promisify(execFile)(process.execPath, [tool, "list"], { env });
    assert.match(stdout, /^millrace-ngram/, "the operator's tool finds what runs here");

    const second = spawnStart();
    const [code] = await once(second.process, "exit");
    assert.equal(code, 1);
    assert.match(second.output(), new RegExp(`in use by process ${first.process.pid}`));
    known = first.state;
    assert.equal(await stop(first, "SIGINT"), 0);
  });

  it("finds key, job and model, starts a killed worker again, and leaves no process behind when killed itself", async () => {
    const again = await start();
    assert.equal(again.state.api_key, known.api_key);
    assert.equal(again.state.base_url, known.base_url);
    assert.equal((await again.client.fineTuning.jobs.list()).data[0]?.fine_tuned_model, model);
    const choices = ["billing", "delivery", "account"].map((value) => ({ value }));
    const questions = [{ type: "choice", instructions: "What is it about?", choices }];
    const { answers } = await again.client.post<{ answers: { choice: string }[] }>("/decisions", {
      body: { model, input: "where is my parcel", questions },
    });
    assert.equal(answers[0]?.choice, "delivery");

    const worker = await until(() => workerOf(again), { what: "a worker" });
    process.kill(worker, "SIGKILL");
    interrupted = await startLongJob(again.client);
    const training = async () => (await again.client.fineTuning.jobs.retrieve(interrupted)).status === "running";
    await until(training, { what: "the job to run" });
    assert.notEqual(workerOf(again), worker);
    assert.equal(await stop(again, "SIGKILL"), null);
  });

  it("goes on with the job that trained, and ends when told to", async () => {
    const third = await start();
    const succeeded = async () => (await third.client.fineTuning.jobs.retrieve(interrupted)).status === "succeeded";
    await until(succeeded, { what: "the job to go on" });
    assert.equal(await stop(third, "SIGTERM"), 0);
  });
});
