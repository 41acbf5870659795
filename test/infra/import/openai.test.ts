/** An export of OpenAI is brought over through the API alone, once however often it is begun and killed, and calls by old names go on. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type OpenAI from "openai";
import type { ImportReport } from "../../../infra/import/report.ts";
import type { InferenceWithContent } from "../../../shared/schemas/inference.ts";
import { createModelHost, type ModelHost } from "../../../shared/serving/host.ts";
import { readRows } from "../../bench/dataSets.ts";
import { oldModel, writeExport } from "../../support/openAiExport.ts";
import { sharedFile } from "../../support/sharedFiles.ts";
import type { LabelledText } from "../../support/trainingData.ts";
import { openWorkshop, type Workshop } from "../../support/workshop.ts";

const { skip } = sharedFile("data/banking77");
const program = fileURLToPath(new URL("../../../infra/millrace.ts", import.meta.url));
const labels = ["card_arrival", "exchange_rate", "lost_or_stolen_card", "pin_blocked", "top_up_failed"];
/** The old model named every eighth of these questions wrong. */
const slips = 8;
const mostAsked = 120;

let shop: Workshop;
let host: ModelHost;
let folder: string;
let train: LabelledText[];
let asked: LabelledText[];
/** Of the run that found everything there. */
let report: ImportReport;
/** A job of somebody's own. */
let own: string;

before(async () => {
  if (skip) return;
  host = {} as ModelHost;
  shop = await openWorkshop({ host });
  Object.assign(host, createModelHost(shop.stores.objects, { threads: 1 }));
  folder = join(shop.home, "export");
  const of = (part: string) =>
    readRows<LabelledText>(`banking77/${part}`)!.filter(({ label }) => labels.includes(label));
  train = of("train");
  asked = [...of("test").slice(0, mostAsked - 20), ...train.slice(0, 20)].map(({ text, label }, i) => {
    return { text, label: i % slips ? label : labels[(labels.indexOf(label) + 1) % labels.length]! };
  });
  await writeExport(folder, { train, asked });
});
after(async () => {
  await shop?.close();
  await host?.close();
});

function start(...more: string[]): ChildProcess {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const args = [program, "import", "openai", folder, "--train", "--model", "millrace-ngram", ...more];
  const env = { PATH, NODE_COMPILE_CACHE, MILLRACE_BASE_URL: shop.baseURL, MILLRACE_API_KEY: shop.keys.a };
  return spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
}

/** Ends it with a signal as soon as it says that. */
async function endedAt(said: RegExp, signal: NodeJS.Signals): Promise<number | null> {
  const child = start();
  let heard = "";
  child.stderr!.on("data", (chunk) => {
    // A second one would not be waited for.
    const isSaid = said.test(heard);
    heard += chunk;
    if (!isSaid && said.test(heard)) child.kill(signal);
  });
  const [code] = await once(child, "close");
  assert.match(heard, said);
  return code;
}

async function run(...more: string[]): Promise<{ code: number | null; out: string; report: ImportReport }> {
  const child = start(...more);
  let [out, errors] = ["", ""];
  child.stdout!.on("data", (chunk) => (out += chunk));
  child.stderr!.on("data", (chunk) => (errors += chunk));
  const [code] = await once(child, "close");
  const report = await readFile(join(`${folder}-millrace`, "report.json"), "utf8").catch(() => assert.fail(errors));
  return { code, out, report: JSON.parse(report) };
}

/** What came over of them, beside what is the project's own. */
async function importedOf(client: OpenAI) {
  const files = await Array.fromAsync(client.files.list({ purpose: "fine-tune" }));
  const jobs = await Array.fromAsync(client.fineTuning.jobs.list({ metadata: { openai_job: "ftjob-old1" } }));
  return { files: files.filter(({ filename }) => filename.includes(".openai-")), jobs };
}

const statesOf = (outcomes: ImportReport["jobs"]) => outcomes.map(({ of, state }) => [of, state]);

test("killed twice, stopped once and run to its end, everything is there once; run again, nothing is imported", {
  skip,
}, async () => {
  await endedAt(/inferences: \d/, "SIGKILL");
  // Nobody works yet: it waits for the job.
  await endedAt(/jobs: 0 of 1/, "SIGKILL");
  assert.equal(await endedAt(/jobs: 0 of 1/, "SIGINT"), 130);
  own = await shop.submit({ training: train.slice(0, 40).concat(train.slice(-40)), epochs: 1 });
  const worker = await shop.work();
  const first = await run();
  assert.equal(first.code, 0, JSON.stringify(first.report.problems));
  const second = await run();
  const { fine_tuned_model } = await shop.finished(own);
  assert.ok(fine_tuned_model);
  await worker.end("SIGTERM");
  report = second.report;
  const client = shop.client();
  for (const { inferences, files, jobs } of [first.report, report]) {
    assert.deepEqual(inferences, { imported: 0, present: asked.length });
    assert.deepEqual(statesOf(files), [["file-Train1.jsonl", "present"]]);
    assert.deepEqual(statesOf(jobs), [
      ["ftjob-old2", "left"],
      ["ftjob-old1", "present"],
    ]);
  }
  assert.deepEqual(statesOf(first.report.aliases), [[oldModel, "imported"]]);
  assert.deepEqual(statesOf(second.report.aliases), [[oldModel, "present"]]);
  assert.deepEqual(second.report.agreement, first.report.agreement);
  assert.equal((await importedOf(client)).jobs.length, 1);
  assert.equal((await importedOf(client)).files.length, 1);
  const evals = await Array.fromAsync(client.evals.list());
  assert.deepEqual(
    evals.map(({ name, metadata }) => [name, metadata?.openai_eval]),
    [["Intents", "eval_old1"]],
  );
  assert.deepEqual(statesOf(report.evals), [["eval_old1", "present"]]);
  assert.equal((await Array.fromAsync(client.chat.completions.list())).length, asked.length);
});

test("what came over is what was there: the file byte for byte, completions with their ids and times, the job's name", {
  skip,
}, async () => {
  const client = shop.client();
  const {
    files: [file],
    jobs: [job],
  } = await importedOf(client);
  const content = await (await client.files.content(file!.id)).text();
  assert.equal(content, await readFile(join(folder, "file-Train1.jsonl"), "utf8"));
  assert.deepEqual(job!.metadata, { openai_job: "ftjob-old1", openai_model: oldModel });
  assert.match(job!.fine_tuned_model!, /^ft:millrace-ngram:acme:intents:/);
  const [oldest] = (await client.chat.completions.list({ order: "asc", limit: 1 })).data;
  assert.deepEqual(oldest!.metadata, { team: "support", imported_id: "chatcmpl-Old0" });
  const inference = await client.get<InferenceWithContent>(`/inferences/${oldest!.id}`);
  assert.deepEqual([inference.model, inference.created_at], [oldModel, oldest!.created]);
  const { messages } = inference.input as { messages: { content: string }[] };
  assert.equal(messages.at(-1)!.content, asked[0]!.text);
});

test("a client that knows the old name alone gets the new model's labels; the report's figures are what it counts itself", {
  skip,
}, async () => {
  const client = shop.client();
  const [comparison, ...others] = report.agreement;
  assert.deepEqual(others, []);
  const answers: string[] = [];
  for (const { text } of asked) {
    const messages = [{ role: "user" as const, content: text }];
    const { choices, model } = await client.chat.completions.create({ model: oldModel, messages });
    assert.equal(model, comparison!.model);
    answers.push(choices[0]!.message.content!);
  }
  assert.ok(answers.every((answer) => labels.includes(answer)));
  const messages = [{ role: "user" as const, content: asked[0]!.text }];
  const streamed = await client.chat.completions.create({ model: oldModel, messages, stream: true, logprobs: true });
  const chunks = (await Array.fromAsync(streamed)).map(({ choices }) => choices[0]!);
  assert.equal(chunks.map(({ delta }) => delta.content ?? "").join(""), answers[0]);
  const [token] = chunks.flatMap(({ logprobs }) => logprobs?.content ?? []);
  assert.ok(token!.logprob < 0 && Math.exp(token!.logprob) > 1 / labels.length, "as sure as the likeliest label is");
  assert.equal((await client.responses.create({ model: oldModel, input: asked[0]!.text })).output_text, answers[0]);
  const same = asked.map(({ label }, i) => label === answers[i]);
  const count = (of: boolean[]) => of.filter(Boolean).length;
  assert.deepEqual([comparison!.asked, comparison!.agreed], [asked.length, count(same)]);
  assert.ok(comparison!.agreed >= asked.length * 0.75, `${comparison!.agreed} of ${asked.length}`);
  assert.ok(comparison!.agreed < asked.length, "the old model's slips are not the new one's");
  for (const { label, asked: of, agreed, share } of comparison!.classes) {
    const own = asked.flatMap((each, i) => (each.label === label ? [same[i]!] : []));
    assert.deepEqual([of, agreed], [own.length, count(own)]);
    assert.ok(share!.lower < share!.estimate + 1e-12 && share!.upper > share!.estimate - 1e-12);
  }
  const learned = new Set(train.map(({ text }) => text));
  const unlearned = same.filter((_, i) => !learned.has(asked[i]!.text));
  assert.deepEqual([comparison!.unlearned!.asked, comparison!.unlearned!.agreed], [unlearned.length, count(unlearned)]);
  const disagreed = comparison!.disagreements.reduce((sum, pair) => sum + pair.count, 0);
  assert.equal(disagreed, asked.length - comparison!.agreed);
  const markdown = await readFile(join(`${folder}-millrace`, "report.md"), "utf8");
  assert.match(markdown, new RegExp(`answered the same in ${comparison!.agreed} of ${asked.length}, \\d`));
  assert.match(markdown, /46 of 50 passed/);
});

test("an alias that somebody moved since is left where it is, and the report compares what it means now", {
  skip,
}, async () => {
  const client = shop.client();
  const {
    jobs: [job],
  } = await importedOf(client);
  const { fine_tuned_model: moved } = await shop.job(own);
  await client.post(`/aliases/${oldModel}`, { body: { model: moved, from: job!.fine_tuned_model } });
  const { report } = await run("--sample", "10");
  assert.deepEqual(report.aliases[0], {
    of: oldModel,
    id: oldModel,
    state: "present",
    note: `means ${moved}, and is left so`,
  });
  const [comparison] = report.agreement;
  assert.deepEqual([comparison!.model, comparison!.asked, comparison!.unasked], [moved, 10, asked.length - 10]);
  assert.equal(comparison!.unlearned, null, "nobody knows what it learned from");
});
