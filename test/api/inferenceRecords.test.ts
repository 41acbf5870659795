/** What is kept of models' answers: nothing unless the project wants it, and then before the answer is out. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { ChatCompletion } from "openai/resources/chat/completions";
import { newId } from "../../shared/ids.ts";
import { createRecorder } from "../../shared/inference/recorded.ts";
import type { NewInference } from "../../shared/stores/inferences.ts";
import { batchesOf, decisionLine } from "../support/batches.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addModel } from "../support/records.ts";
import { slowHost } from "../support/slowWriter.ts";
import { addBase } from "../support/tinyCheckpoint.ts";
import { until } from "../support/until.ts";
import { workerContext, workOn } from "../support/workerTasks.ts";

const host = slowHost(1);
let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy({ host });
  const base = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  model = (await addModel(deployment.stores, deployment.a, { base_model: "tiny-bert", base })).id;
});
after(() => deployment.close());

const project = () => deployment.a.project.id;
const settings = (body: object, key = deployment.keys.a) =>
  deployment.fetch(`/v1/organization/projects/${project()}`, {
    method: "POST",
    key,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
const keep = async (inference_records: string) => assert.equal((await settings({ inference_records })).status, 200);
const list = () => Array.fromAsync(deployment.stores.inferences.stream(project(), { descending: true }));
const decide = (input: string) =>
  deployment.fetch("/v1/decisions", {
    method: "POST",
    body: JSON.stringify(decisionLine("", model, input).body),
    headers: { "content-type": "application/json" },
  });

let known = new Set<string>();
beforeEach(async () => {
  known = new Set((await list()).map(({ id }) => id));
});
/** Those that came since the test began, newest first. */
const recorded = async () => (await list()).filter(({ id }) => !known.has(id));

test("a project says what is kept, for itself alone", async () => {
  const { status } = await settings({ inference_records: "full" }, deployment.keys.b);
  assert.equal(status, 404);
  const found = await deployment.fetch(`/v1/organization/projects/${project()}`);
  const body = (await found.json()) as object;
  assert.deepEqual(body, {
    id: project(),
    object: "organization.project",
    name: "acme",
    created_at: deployment.a.project.created_at,
    archived_at: null,
    status: "active",
    inference_records: "none",
    inference_sampling_rate: 1,
    inference_retention_days: null,
  });
  const renamed = (await (await settings({ name: "Acme & Co" })).json()) as object;
  assert.deepEqual(renamed, { ...body, name: "Acme & Co" });
  assert.equal((await settings({ inference_records: "some" })).status, 400);
});

test("nothing is kept unless the project says so", async () => {
  assert.equal((await decide("spam")).status, 200);
  assert.deepEqual(await recorded(), []);
});

test("metadata say which model answered what in which time, and nothing of what was said", async () => {
  await keep("metadata");
  const response = await decide("spam");
  const [record, ...others] = await recorded();
  assert.equal(others.length, 0);
  const { digest } = (await deployment.stores.models.get(project(), model))!;
  const { latency_ms, created_at, ...rest } = record!;
  assert.deepEqual(rest, {
    id: response.headers.get("x-request-id"),
    project_id: project(),
    endpoint: "/v1/decisions",
    model,
    ...{ function: null, variant: null, experiment_id: null, unit: null, episode_id: null },
    digest,
    is_complete: true,
    is_stored: false,
    metadata: null,
    expires_at: null,
    content: { input: null, output: null },
    feedback: {},
    feedback_revision: 0,
  });
  assert.deepEqual(await deployment.stores.inferences.read(record!), { input: null, output: null });
  assert.ok(latency_ms >= 0 && Math.abs(created_at - Date.now() / 1000) < 60);
});

test("a full record has what was asked and answered, of any size, and refusals leave none", async () => {
  await keep("full");
  const text = `spam ${"x".repeat(200_000)}`;
  const response = await decide(text);
  const body = await response.json();
  const record = (await deployment.stores.inferences.get(project(), response.headers.get("x-request-id")!))!;
  const said = (await deployment.stores.inferences.read(record)) as { input: { input: string }; output: unknown };
  assert.equal(said.input.input, text);
  assert.deepEqual(said.output, body);
  assert.equal(await deployment.stores.inferences.get(deployment.b.project.id, record.id), undefined);
  assert.equal(
    (await deployment
      .client()
      .post("/decisions", { body: {} })
      .catch((error) => error.status)) as number,
    400,
  );
  assert.equal((await recorded()).length, 1);
});

const conversation = { messages: [{ role: "user" as const, content: "so be it then" }], stream: true as const };

test("a stream is recorded as one body before it ends, and event by event when nobody listens", async () => {
  await keep("full");
  const asked = { ...conversation, stream_options: { include_usage: true } };
  const chunks = await Array.fromAsync(await deployment.client().chat.completions.create({ model, ...asked }));
  const [whole] = await recorded();
  assert.equal(whole?.is_complete, true);
  const { output } = (await deployment.stores.inferences.read(whole!)) as { output: ChatCompletion };
  const { id, usage } = chunks.at(-1)!;
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
  assert.ok(text.length > 0);
  assert.deepEqual([output.id, output.usage, output.choices[0]?.message.content], [id, usage, text]);
  const endless = [{ role: "user" as const, content: "word ".repeat(5000) }];
  const stream = await deployment.client().chat.completions.create({ model, messages: endless, stream: true });
  for await (const { choices } of stream) if (choices[0]?.delta.content) break;
  await until(async () => (await recorded()).length === 2, { what: "the record of what was left" });
  const [left] = await recorded();
  assert.equal(left?.is_complete, false);
  const said = (await deployment.stores.inferences.read(left!)) as { output: { events: object[] } };
  assert.ok(said.output.events.length > 0);
});

test("each line of a batch is recorded, and once where it is run again", async () => {
  await keep("full");
  const { client, create, lines } = batchesOf(deployment);
  const batch = await create([decisionLine("a", model, "spam"), decisionLine("b", model, "ham")]);
  const row = { id: batch.id, project_id: project() };
  // Its lines are run, but the worker is told to go before any counts.
  const shutdown = new AbortController();
  const stuck = { ...host, classify: host.classify };
  stuck.classify = async (asked, [text]) => {
    if (text === "spam") return new Promise<never>(() => {});
    return host.classify(asked, [text!]);
  };
  const working = workOn(workerContext(deployment, stuck), "batch", row, shutdown.signal);
  await until(async () => (await recorded()).length === 1, { what: "the second line's record" });
  shutdown.abort();
  await working;
  await workOn(workerContext(deployment, fakeHost()), "batch", row);
  const answers = await lines((await client.batches.retrieve(batch.id)).output_file_id);
  const ids = answers.map(({ response }) => response!.request_id);
  assert.deepEqual((await recorded()).map(({ id }) => id).sort(), ids.sort());
});

test("an answer is not out before its record is durable, and fails where that fails", async () => {
  const puts: NewInference[] = [];
  let store: (error?: Error) => void = () => {};
  const inferences = {
    put(inference: NewInference) {
      puts.push(inference);
      return new Promise<void>((resolve, reject) => {
        store = (error) => (error ? reject(error) : resolve());
      });
    },
  };
  const recorder = createRecorder(inferences, { log: () => assert.fail("No experiment assigned it") });
  const wants = { ...deployment.a.project, inference_records: "metadata" as const };
  const inference = { id: newId("request"), project: wants, endpoint: "/v1/decisions", request: {} };
  const answer = () => recorder.answer(inference, async () => ({ body: 7, model: "m", digest: null }));
  let isOut = false;
  const first = answer().then(() => {
    isOut = true;
  });
  await until(() => puts.length === 1, { what: "the record to be written" });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isOut, false);
  store();
  await first;
  const second = answer();
  await until(() => puts.length === 2, { what: "the second record to be written" });
  store(new Error("no table"));
  await assert.rejects(second, /no table/);
});
