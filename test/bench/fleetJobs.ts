/** How long jobs take: really run through the product, a few of each kind, on this machine. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import type { Millrace } from "../../infra/local/millrace.ts";
import { readState } from "../../infra/local/state.ts";
import { readsTables } from "../../shared/baseModels.ts";
import { mixSeeds } from "../../shared/engine/random.ts";
import { classOf, type WorkerClass } from "../../shared/fleet/classes.ts";
import { decide, follow } from "../examples/customer.ts";
import { labels, type Mail, readMails, splitMails } from "../examples/spam/mails.ts";
import { withMillrace } from "../examples/withMillrace.ts";

export interface JobKind {
  readonly model: string;
  /** Rows of the training files, one job each. */
  readonly rows: readonly number[];
}

export interface JobTimes {
  readonly command: string;
  readonly measured_at: string;
  readonly machine: string;
  readonly kinds: readonly (JobKind & {
    /** From a job's creation to its success, by the worker of a machine with nothing else to do. */
    readonly seconds: readonly number[];
  })[];
  /** From the start of a worker process to its first look at the queue. */
  readonly worker_start_seconds: readonly number[];
  /** From the start of an API process to its first answer by a fine-tuned model. */
  readonly first_answer_seconds: readonly number[];
  /** A call of a model that is loaded. */
  readonly answer_seconds: readonly number[];
}

/** The last is a LoRA adapter on a shipped base. */
export const jobKinds: readonly JobKind[] = [
  { model: "millrace-ngram", rows: [200, 1000, 4000] },
  { model: "millrace-tabular", rows: [200, 1000, 4000] },
  { model: "millrace-encoder-tiny", rows: [200, 1000] },
  { model: "millrace-auto", rows: [50, 100, 150] },
  { model: "millrace-embed-en", rows: [50, 100, 200] },
];

/** Which workers have such jobs to do. */
export const classOfKind = ({ model }: Pick<JobKind, "model">): WorkerClass =>
  classOf({ model, method: { type: "supervised" } });

/** On a machine with much other work a worker may be silent for long, and is not dead. */
const patient = { MILLRACE_LEASE_SECONDS: "300" };

const recordedFile = new URL("../../shared/fleet/jobTimes.json", import.meta.url);

/** What was measured when the policy was chosen. */
export function recordedJobTimes(): JobTimes {
  return JSON.parse(readFileSync(recordedFile, "utf8")) as JobTimes;
}

/** Undefined where it was interrupted. */
export async function measureJobTimes(tell: (line: string) => void): Promise<JobTimes | undefined> {
  const home = mkdtempSync(join(tmpdir(), "millrace-fleet-"));
  let times: JobTimes | undefined;
  try {
    const measure = async (millrace: Promise<Millrace>): Promise<void> => {
      const { baseUrl, apiKey } = await millrace;
      const worker_start_seconds = [await startSeconds(home), await startSeconds(home), await startSeconds(home)];
      tell(`a worker is up after ${worker_start_seconds.map((seconds) => seconds.toFixed(1)).join(", ")} s`);
      const client = new OpenAI({ baseURL: baseUrl, apiKey, timeout: 120_000 });
      const { kinds, models } = await measureKinds(client, tell);
      const answers = await measureAnswers(home, apiKey, models);
      tell(
        `an API answers after ${answers.first_answer_seconds.join(", ")} s, then in ${answers.answer_seconds.join(", ")} s`,
      );
      times = { ...about(), kinds, worker_start_seconds, ...answers };
    };
    await withMillrace(home, measure, patient);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return times;
}

function about() {
  const model = cpus()[0]?.model ?? "unknown";
  return {
    command: "npm run bench -- fleet --part jobs --json",
    measured_at: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${model.trim()}), no GPU, under a load average of ${loadavg()[1]!.toFixed(0)} by this and other work`,
  };
}

async function measureKinds(client: OpenAI, tell: (line: string) => void) {
  const { mails } = readMails();
  const kinds: JobTimes["kinds"][number][] = [];
  const models: string[] = [];
  for (const kind of jobKinds) {
    const seconds: number[] = [];
    for (const rows of kind.rows) {
      const job = await timeJob(client, kind.model, splitMails(mails, mixSeeds(1, rows), rows * 1.25).train);
      seconds.push(job.seconds);
      if (!readsTables(kind.model)) models.push(job.model);
      tell(`${kind.model}, ${rows} rows: ${seconds.at(-1)} s`);
    }
    kinds.push({ ...kind, seconds });
  }
  return { kinds, models };
}

async function timeJob(client: OpenAI, model: string, rows: readonly Mail[]) {
  const lines = rows.map((mail) => JSON.stringify(readsTables(model) ? countsOf(mail) : mail)).join("\n");
  const file = await toFile(Buffer.from(lines), "train.jsonl");
  const { id: training_file } = await client.files.create({ file, purpose: "fine-tune" });
  const { id } = await client.fineTuning.jobs.create({ model, training_file, suffix: "fleet", seed: 1 });
  const start = performance.now();
  const { fine_tuned_model } = await follow(client, id, () => {});
  return { seconds: tenths(performance.now() - start), model: fine_tuned_model! };
}

/** A mail as a row of a table: how much of what it has. */
function countsOf({ text, label }: Mail) {
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  const input = {
    ...{ characters: text.length, lines: count(/\n/g), digits: count(/\d/g), capitals: count(/\p{Lu}/gu) },
    ...{ marks: count(/[!?$%]/g), tags: count(/<\w+/g), links: count(/https?:/g), has_quotes: /^>/m.test(text) },
  };
  return { input, label };
}

/** A worker beside the one that is there; it leaves again before any job is asked for. */
async function startSeconds(home: string): Promise<number> {
  const start = performance.now();
  const worker = await startBeside(home, "../../workers/main.ts");
  const seconds = tenths(performance.now() - start);
  await worker.stop();
  return seconds;
}

/** By an API of its own for each model, as a function's new environment would. */
async function measureAnswers(home: string, apiKey: string, models: readonly string[]) {
  const first_answer_seconds: number[] = [];
  const answer_seconds: number[] = [];
  for (const model of models) {
    const start = performance.now();
    const { message, stop } = await startBeside(home, "../../api/server.ts");
    const client = new OpenAI({ baseURL: `http://127.0.0.1:${message.listening}/v1`, apiKey, timeout: 120_000 });
    const ask = () => decide(client, model, "Am I spam?", { instructions: "Which?", labels });
    await ask();
    first_answer_seconds.push(tenths(performance.now() - start));
    const times = [];
    for (let i = 0; i < 20; i++) times.push(await timed(ask));
    answer_seconds.push(Math.round(times.sort((a, b) => a - b)[10]! * 10) / 10_000);
    await stop();
  }
  return { first_answer_seconds, answer_seconds };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A process of the same deployment beside those that are there, and the message by which it said that it is up. */
async function startBeside(home: string, module: string) {
  const env = { ...process.env, MILLRACE_LOG_LEVEL: "silent", ...readState(home)!.environment };
  const child = fork(new URL(module, import.meta.url), { env, execArgv: [] });
  const [message] = (await once(child, "message")) as [Record<string, unknown>];
  const stop = async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { message, stop };
}

const tenths = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;
