/** Answers that workers make for the API: the same as at once, whoever dies meanwhile. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import { relayEvents } from "../../../api/services/relayedEvents.ts";
import { ApiError } from "../../../shared/errors.ts";
import type { AnswerRecord } from "../../../shared/schemas/answerTask.ts";
import type { Decision } from "../../../shared/schemas/decision.ts";
import { chunkWrite } from "../../../shared/stores/answers.ts";
import { newLease } from "../../../shared/stores/leasedRows.ts";
import { addAnswer } from "../../support/answers.ts";
import { decisionLine } from "../../support/batches.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { slowHost } from "../../support/slowWriter.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";
import { until } from "../../support/until.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

const host = fakeHost();
let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy({ heavyBytes: 1, answerWaitSeconds: 1 });
  const { digest, files } = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  const content = { base_model: "tiny-bert", base: { digest, files } };
  model = (await addModel(deployment.stores, deployment.a, content)).id;
});
after(() => deployment.close());

const project = () => deployment.a.project.id;
const rows = () => deployment.stores.answers.list(project(), { limit: 1000, descending: true });
/** The row of the request that was just made. */
async function asked(): Promise<AnswerRecord> {
  const seen = new Set(known);
  const row = await until(async () => (await rows()).find(({ id }) => !seen.has(id)), { what: "a row" });
  known.add(row.id);
  return row;
}
const known = new Set<string>();
const row = async ({ id }: { id: string }) => (await deployment.stores.answers.get(project(), id))!;
const work = (answer: { id: string }, its = host, shutdown?: AbortSignal) =>
  workOn(workerContext(deployment, its), "answer", { id: answer.id, project_id: project() }, shutdown);

const post = (path: string, body: object, headers = {}) =>
  deployment.fetch(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
const decide = (input: string, changes: object = {}) =>
  post("/v1/decisions", { ...decisionLine("", model, input).body, ...changes });

test("a heavy model's decision is a worker's, and reads as if made at once", async () => {
  const response = decide("spam spam");
  const answer = await asked();
  await work(answer);
  const { status, headers } = await response;
  const body = (await (await response).json()) as Decision;
  assert.equal(status, 200);
  const [first] = body.answers;
  assert.deepEqual([body.model, first?.type === "choice" && first.choice], [model, "spam"]);
  const { digest } = (await deployment.stores.models.get(project(), model))!;
  assert.equal(headers.get("x-millrace-model-digest"), digest);
  assert.equal(headers.get("x-request-id"), answer.request_id);
});

test("what a worker refuses is refused as at once", async () => {
  const questions = [{ type: "choice", instructions: "?", choices: [{ value: "spam" }, { value: "eggs" }] }];
  const response = decide("x", { questions: [...questions, { type: "essay" }] });
  assert.equal((await response).status, 400);
  const refused = post("/v1/embeddings", { model, input: [[1, 2, 3]], dimensions: 2000 });
  const moody = { ...host, embed: () => Promise.reject(new ApiError("invalid_value", "No.", { param: "input" })) };
  await work(await asked(), moody);
  const { error } = (await (await refused).json()) as { error: { param: string; code: string } };
  assert.deepEqual([(await refused).status, error.code, error.param], [400, "invalid_value", "input"]);
});

test("a decision that takes longer is looked for where the answer says", async () => {
  const response = await decide("ham and more");
  const answer = await asked();
  assert.equal(response.status, 202);
  const task = (await response.json()) as { id: string; url: string; status: string };
  assert.deepEqual([task.id, task.status, task.url], [answer.id, "queued", `/v1/answers/${answer.id}`]);
  assert.equal(response.headers.get("location"), task.url);
  const look = async (key = deployment.keys.a) => {
    const found = await deployment.fetch(task.url, { key });
    return { status: found.status, body: (await found.json()) as { status: string; response: { body: Decision } } };
  };
  assert.equal((await look()).body.response, null);
  assert.equal((await look(deployment.keys.b)).status, 404);
  await work(answer);
  const { body } = await look();
  assert.equal(body.status, "completed");
  const [first] = body.response.body.answers;
  assert.equal(first?.type === "choice" && first.choice, "ham");
});

test("what the SDK asks again finds the answer that was begun, with its id", async () => {
  const client = deployment.client({ maxRetries: 2 });
  host.asked.length = 0;
  const embedding = client.embeddings.create({ model, input: "abc" }).withResponse();
  const answer = await asked();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await work(answer);
  const { data, response } = await embedding;
  assert.equal(data.data.length, 1);
  assert.equal(response.headers.get("x-request-id"), answer.request_id);
  assert.deepEqual(
    host.asked.map(({ texts }) => texts),
    [["abc"]],
  );
  await assert.rejects(deployment.client().embeddings.create({ model, input: "abc" }), { status: 504 });
  const second = await asked();
  assert.notEqual(second.id, answer.id, "asked for the first time, it is another");
});

const conversation = (words: number) => ({
  model,
  messages: [{ role: "user" as const, content: Array.from({ length: words }, (_, i) => `w${i}`).join(" ") }],
});
const wordsOf = (chunks: readonly ChatCompletionChunk[]) =>
  chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? "")).join("");

test("events are relayed in order, and the same as at once", async () => {
  const request = { ...conversation(300), stream: true as const, stream_options: { include_usage: true } };
  const light = await deploy({ host });
  const base = await addBase(light.stores, "tiny-bert", { "config.json": "{}" });
  await addModel(light.stores, light.a, { id: model, base_model: "tiny-bert", base });
  const collect = async (from: Deployment) => {
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of await from.client().chat.completions.create(request)) chunks.push(chunk);
    return chunks;
  };
  const relayed = collect(deployment);
  await work(await asked(), slowHost(1));
  const steady = (chunk: ChatCompletionChunk) => ({ ...chunk, id: "", created: 0, system_fingerprint: "" });
  assert.deepEqual((await relayed).map(steady), (await collect(light)).map(steady));
  assert.equal(wordsOf(await relayed).split(" ").length, 300);
  await light.close();
});

test("what is wrong with a streamed request is told before any event", async () => {
  const request = { ...conversation(3), stream: true as const };
  const refused = deployment.client().chat.completions.create(request);
  const moody = { ...host, generate: () => Promise.reject(new ApiError("invalid_value", "No.", { param: "seed" })) };
  await work(await asked(), moody);
  await assert.rejects(refused, { status: 400, param: "seed" });
});

test("where a worker falls silent in its words and none takes over, the client is told", async () => {
  const { stores } = deployment;
  const lease = newLease(-10);
  const answer = await addAnswer(stores, deployment.a, {
    status: "running",
    is_stream: true,
    response: null,
    lease,
    written_by: lease.attempt_id,
  });
  known.add(answer.id);
  const chunk = { events: [{ data: { text: "so be" } }], expires_at_ttl: answer.expires_at_ttl };
  assert.ok(
    await stores.answers.record(answer, lease.attempt_id, {}, [chunkWrite(answer, lease.attempt_id, 0, chunk)]),
  );
  const heard: object[] = [];
  await assert.rejects(async () => {
    for await (const { data } of relayEvents(stores, answer, new AbortController().signal)) heard.push(data);
  }, /broke off/);
  assert.deepEqual(heard, [{ text: "so be" }]);
  assert.deepEqual([(await row(answer)).status, (await row(answer)).relayed], ["cancelled", true]);
});

test("a client that goes away ends the work", async () => {
  const its = slowHost(20);
  const leaving = new AbortController();
  const stream = deployment
    .client()
    .chat.completions.create({ ...conversation(2000), stream: true as const }, { signal: leaving.signal });
  const answer = await asked();
  const working = work(answer, its);
  let seen = 0;
  await assert.rejects(async () => {
    for await (const _ of await stream) if (++seen === 5) leaving.abort();
    throw new Error("left");
  });
  await working;
  assert.equal((await row(answer)).status, "cancelled");
  assert.equal(its.writing, 0);
});

test("a worker that must go hands an answer back as long as nothing of it was passed on", async () => {
  const response = decide("spam once more");
  const answer = await asked();
  const shutdown = new AbortController();
  const stuck = { ...host, classify: () => new Promise<never>(() => {}) };
  const working = work(answer, stuck, shutdown.signal);
  await until(async () => (await row(answer)).status === "running", { what: "the answer to be begun" });
  shutdown.abort();
  assert.deepEqual(await working, { type: "retry", seconds: 0 });
  assert.deepEqual([(await row(answer)).status, (await row(answer)).lease], ["queued", null]);
  await work(answer);
  assert.ok([200, 202].includes((await response).status));
  assert.equal((await row(answer)).status, "completed");
});

test("a request too large for a row, and an answer too, go by objects", async () => {
  const input = Array.from({ length: 40 }, (_, i) => `${i} ${"x".repeat(3000)}`);
  const vectors = deployment.client().embeddings.create({ model, input, encoding_format: "float" });
  const answer = await asked();
  assert.ok("object_key" in answer.request);
  const wide = {
    ...host,
    embed: async (_: unknown, inputs: readonly unknown[]) =>
      inputs.map(() => ({ vector: new Float32Array(1000).fill(0.123), tokens: 1 })),
  };
  await work(answer, wide);
  assert.equal((await vectors).data.length, 40);
  assert.ok("object_key" in (await row(answer)).response!.body);
});

test("an answer is recorded by the worker, under the id of the request that asked and in its episode", async () => {
  const { projects, inferences, answers } = deployment.stores;
  const [project_id, key] = [deployment.b.project.id, deployment.keys.b];
  await projects.update(project_id, { inference_records: "full" });
  const { digest, files } = (await deployment.stores.bases.get("tiny-bert"))!;
  const { id } = await addModel(deployment.stores, deployment.b, { base_model: "tiny-bert", base: { digest, files } });
  const response = deployment.fetch("/v1/decisions", {
    method: "POST",
    key,
    body: JSON.stringify(decisionLine("", id, "spam").body),
    headers: { "content-type": "application/json", "x-millrace-episode": "new" },
  });
  const task = await until(async () => (await answers.list(project_id, { limit: 1 }))[0], { what: "a row" });
  await workOn(workerContext(deployment, host), "answer", { id: task.id, project_id });
  const [record, ...others] = await Array.fromAsync(inferences.stream(project_id));
  assert.equal(others.length, 0);
  assert.deepEqual([record?.id, record?.model], [task.request_id, id]);
  const { headers } = await response;
  assert.equal(headers.get("x-request-id"), task.request_id);
  assert.match(headers.get("x-millrace-episode") ?? "", /^ep_/);
  assert.equal(headers.get("x-millrace-episode"), record?.episode_id);
});

test("a base that an operator marked is answered by workers, whatever its size", async () => {
  const its = await deploy({ host, heavyBytes: 0, answerWaitSeconds: 0.1 });
  const { bases, answers } = its.stores;
  const light = await addBase(its.stores, "light", { "config.json": "{}" });
  const marked = await addBase(its.stores, "marked", { "config.json": "{}" });
  await bases.replace({ ...marked, heavy: true }, marked.digest);
  const tuned = async ({ id, digest, files }: typeof light) =>
    (await addModel(its.stores, its.a, { id: `ft:${id}`, base_model: id, base: { digest, files } })).id;
  const embed = (model: string) => its.client().embeddings.create({ model, input: "abc" });
  for (const model of ["light", await tuned(light)]) assert.equal((await embed(model)).data.length, 1);
  for (const model of ["marked", await tuned(marked)]) await assert.rejects(embed(model), { status: 504 });
  assert.equal((await answers.list(its.a.project.id, { limit: 10 })).length, 2);
  await its.close();
});
