/** Secrets of all kinds go in, everything fails that can, and no process tells one of them, at the lowest level of its log. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import { type Cloud, createTenant, openCloud, type Tenant } from "../support/deployment.ts";
import { findIn, plant } from "../support/searchedLogs.ts";
import { type ServerProcess, startServer } from "../support/serverProcess.ts";
import { until } from "../support/until.ts";
import { startWorker, type WorkerProcess } from "../support/workerProcess.ts";

let cloud: Cloud;
let tenant: Tenant;
let server: ServerProcess;
/** Its bucket is not there. */
let broken: ServerProcess;
let workers: WorkerProcess[] = [];
before(async () => {
  cloud = await openCloud();
  tenant = await createTenant(cloud.stores, "acme");
  const local = { ...cloud.environment, MILLRACE_WEBHOOK_LOCAL: "true" };
  const nowhere = { ...local, MILLRACE_BUCKET: "no-such-bucket" };
  [server, broken] = await Promise.all([startServer(local), startServer(nowhere)]);
  workers = [await startWorker(cloud, { MILLRACE_WEBHOOK_LOCAL: "true", MILLRACE_MAX_ATTEMPTS: "1" })];
});
after(async () => {
  for (const worker of workers) await worker.end("SIGTERM");
  for (const one of [server, broken]) await one?.stop();
  await cloud.close();
});

const text = "confidential: the patient's diagnosis is porphyria";
const wrongKey = "sk-millrace-somebodyelseskey0123456789";
const idempotencyKey = "idempotent-planted-0123456789";
const password = "correct-horse-battery";

function send(path: string, body: string, headers: Record<string, string> = {}, to = server) {
  const all = { authorization: `Bearer ${tenant.key}`, "content-type": "application/json", ...headers };
  return fetch(`${to.baseURL}${path}`, { method: "POST", body, headers: all, redirect: "manual" });
}

/** Requests that are refused, and some that break what is behind them. */
async function failEverywhere(): Promise<number[]> {
  const answers = [
    await send("/chat/completions", `{"model":"x","messages":[{"role":"user","content":"${text}"}], broken`),
    await send("/chat/completions", JSON.stringify({ model: text, messages: [{ role: "user", content: text }] })),
    await send("/metrics", JSON.stringify({ name: text, secret: password, [text]: tenant.key })),
    await send("/metrics", "{}", { authorization: `Bearer ${wrongKey}` }),
    await send("/metrics", "{}", { authorization: `Basic ${Buffer.from(`me:${password}`).toString("base64")}` }),
    await send("/batches", JSON.stringify({ input_file_id: text }), { "idempotency-key": idempotencyKey }),
    await send(`/files/${encodeURIComponent(text)}?secret=${tenant.key}`, "{}"),
    await send("/organization/projects", "{}", { authorization: `Bearer ${tenant.adminKey}` }),
  ];
  const form = () => {
    const parts = new FormData();
    parts.append("purpose", "fine-tune");
    parts.append("file", new Blob([`{"text":"${text}","label":"a"}\n`]), "a.jsonl");
    return {
      method: "POST",
      body: parts,
      headers: { authorization: `Bearer ${tenant.key}`, "idempotency-key": idempotencyKey },
    };
  };
  answers.push(await fetch(`${broken.baseURL}/files`, form()));
  return answers.map(({ status }) => status);
}

test("no key, header, presigned address, webhook secret or text of a customer is in any log", async () => {
  plant(text, "porphyria", wrongKey, idempotencyKey, password, Buffer.from(`me:${password}`).toString("base64"));
  const client = new OpenAI({ apiKey: tenant.key, baseURL: server.baseURL, maxRetries: 0 });
  const hook = { name: "closed", url: "http://127.0.0.1:9/hook", event_types: ["fine_tuning.job.failed" as const] };
  const { signing_secret } = (await client.webhooks.create(hook)) as unknown as { signing_secret: string };
  assert.ok(signing_secret.startsWith("whsec_"));
  plant(signing_secret);
  const statuses = await failEverywhere();
  assert.ok(
    statuses.every((status) => status >= 400) && statuses.includes(401) && statuses.includes(500),
    `${statuses}`,
  );

  const rows = `{"text":"${text}","label":"a"}\n`.repeat(4);
  const file = await client.files.create({ file: await toFile(Buffer.from(rows), "a.jsonl"), purpose: "fine-tune" });
  const address = await fetch(`${server.baseURL}/files/${file.id}/content`, {
    headers: { authorization: `Bearer ${tenant.key}` },
    redirect: "manual",
  });
  const signature = /X-Amz-Signature=(\w+)/.exec(address.headers.get("location") ?? "")?.[1];
  if (signature) plant(signature);
  const torn = `${rows}{"text":"${text}", "label": oops}\n`;
  const uploads = [rows, torn].map(async (content, i) => {
    const training = await toFile(Buffer.from(content), `${i}.jsonl`);
    const { id } = await client.files.create({ file: training, purpose: "fine-tune" });
    return (await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: id })).id;
  });
  for (const id of await Promise.all(uploads)) {
    await until(async () => (await client.fineTuning.jobs.retrieve(id)).finished_at !== null, {
      what: `${id} to be over`,
    });
  }
  const logs = [server, broken, ...workers].map(({ log }) => log);
  await until(async () => logs.every((log) => log.lines() > 0), { what: "every process to say something" });
  assert.match(broken.log.last(), /NoSuchBucket|bucket/i, "what failed is told, with its cause");
  assert.match(server.log.last(), /"status":401/);
  for (const log of logs) assert.equal(findIn(log.last()), undefined);
});
