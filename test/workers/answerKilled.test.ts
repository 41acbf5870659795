/** Workers killed while they answer: the client gets a whole answer or an error, and never a silent cut. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { type Deployment, deploy } from "../support/deployment.ts";
import { type Gate, startGate } from "../support/gate.ts";
import { addModel } from "../support/records.ts";
import { addBase } from "../support/tinyCheckpoint.ts";

let deployment: Deployment;
let gate: Gate;
let model: string;
const workers: ChildProcess[] = [];
before(async () => {
  deployment = await deploy({ heavyBytes: 1 });
  gate = await startGate(deployment.environment.AWS_ENDPOINT_URL_DYNAMODB!);
  const base = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  model = (await addModel(deployment.stores, deployment.a, { base_model: "tiny-bert", base })).id;
});
after(async () => {
  await Promise.all(workers.map(kill));
  await gate.close();
  await deployment.close();
});

const program = fileURLToPath(new URL("../support/slowWriter.ts", import.meta.url));

async function startWriter(): Promise<ChildProcess> {
  const env = { ...process.env, ...deployment.environment, AWS_ENDPOINT_URL_DYNAMODB: gate.url };
  const worker = fork(program, { env });
  workers.push(worker);
  await once(worker, "message");
  return worker;
}

async function kill(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, "exit");
  worker.kill("SIGKILL");
  await ended;
}

const words = Array.from({ length: 20 }, (_, i) => `w${i}`).join(" ");
const request = () => ({ model, messages: [{ role: "user" as const, content: words }] });
const startsEvents = ({ body }: { body: string }) => body.includes("#answer_chunk#") && body.includes("written_by");

test("killed before its first event is stored, another answers afresh and the client hears one answer", async () => {
  const first = await startWriter();
  const held = gate.hold(startsEvents);
  const stream = deployment.client().chat.completions.create({ ...request(), stream: true });
  await held;
  await kill(first);
  await startWriter();
  let text = "";
  for await (const { choices } of await stream) text += choices[0]?.delta.content ?? "";
  assert.equal(text, words);
});

test("killed in the middle of its words, the client hears the words so far and an error", async () => {
  const first = workers.at(-1)!;
  const stream = await deployment.client().chat.completions.create({ ...request(), stream: true });
  const next = startWriter();
  let text = "";
  await assert.rejects(
    async () => {
      for await (const { choices } of stream) {
        text += choices[0]?.delta.content ?? "";
        if (text.includes("w3")) void kill(first);
      }
    },
    (error) => error instanceof OpenAI.APIError && error.code === "internal_error" && /broke off/.test(error.message),
  );
  assert.ok(text.includes("w3") && text.length < words.length && words.startsWith(text), text);
  await next;
});

test("killed before its answer is stored, another answers", async () => {
  const first = workers.at(-1)!;
  const held = gate.hold(({ body }) => body.includes("response") && body.includes("completed"));
  const answer = deployment.client().chat.completions.create(request());
  await held;
  await kill(first);
  await startWriter();
  assert.equal((await answer).choices[0]?.message.content, words);
});
