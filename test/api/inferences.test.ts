/** Recorded inferences over HTTP: found by what they are, shown with what is said of them, and gone when they are to go. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import { newId } from "../../shared/ids.ts";
import { isSampled } from "../../shared/inference/recorded.ts";
import type { Inference, InferenceWithContent } from "../../shared/schemas/inference.ts";
import type { Page } from "../../shared/schemas/list.ts";
import { createInferences } from "../../shared/stores/inferences.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
import { createTable } from "../../shared/stores/table.ts";
import { clearLeftovers } from "../../workers/sweeper.ts";
import { batchesOf, decisionLine } from "../support/batches.ts";
import { createTenant, type Deployment, deploy, type Tenant } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addInference, addModel } from "../support/records.ts";
import { workerContext, workOn } from "../support/workerTasks.ts";

const host = fakeHost();
let deployment: Deployment;
before(async () => {
  deployment = await deploy({ host });
});
after(() => deployment.close());

const header = "x-millrace-episode";
const messages = [{ role: "user" as const, content: "so be it then" }];
const nowSeconds = () => Math.floor(Date.now() / 1000);
const day = 24 * 60 * 60;

interface Furnished {
  tenant: Tenant;
  client: OpenAI;
  model: string;
  list(query?: string): Promise<string[]>;
  keep(settings: object): Promise<unknown>;
}

async function furnished(settings: object = { inference_records: "full" }): Promise<Furnished> {
  const tenant = await createTenant(deployment.stores, "kept");
  const client = deployment.client({ apiKey: tenant.key });
  const { id: model } = await addModel(deployment.stores, tenant);
  const keep = (changed: object) => client.post(`/organization/projects/${tenant.project.id}`, { body: changed });
  await keep(settings);
  const list = async (query = "") => {
    return ((await client.get(`/inferences?${query}`)) as Page<Inference>).data.map(({ id }) => id);
  };
  return { tenant, client, model, keep, list };
}

const retrieve = (client: OpenAI, id: string) => client.get(`/inferences/${id}`) as Promise<InferenceWithContent>;

test("an answer is found under the id that it came with, and under its own", async () => {
  const { client, model, list } = await furnished();
  const created = await client.chat.completions.create({ model, messages });
  const [id, ...others] = await list();
  assert.deepEqual([id, others], [created._request_id, []]);
  const found = await retrieve(client, created.id);
  assert.deepEqual({ ...found.output }, { ...created });
  assert.deepEqual(found.input, { model, messages });
  assert.deepEqual(
    [found.id, found.object, found.endpoint, found.model, found.is_stored, found.episode_id, found.feedback],
    [id, "inference", "/v1/chat/completions", model, false, null, []],
  );
  assert.equal((await retrieve(client, id!)).id, id);
});

test("a stored completion is an inference whatever the policy is: listed once, kept once, and deleted once", async () => {
  const { client, model, list, keep } = await furnished({ inference_records: "none" });
  await client.chat.completions.create({ model, messages });
  assert.deepEqual(await list(), []);
  const { id } = await client.chat.completions.create({ model, messages, store: true, metadata: { a: "b" } });
  await keep({ inference_records: "full" });
  const streamed = await client.chat.completions.create({ model, messages, store: true, stream: true });
  const second = (await Array.fromAsync(streamed))[0]!.id;
  assert.deepEqual(
    (await list()).map((each) => each.slice(-26)),
    [second, id].map((each) => each.slice(-26)),
  );
  const { is_stored, metadata, output } = await retrieve(client, id);
  assert.deepEqual([is_stored, metadata, output?.id], [true, { a: "b" }, id]);
  await client.delete(`/inferences/${second}`);
  await assert.rejects(client.chat.completions.retrieve(second), { status: 404 });
  await client.chat.completions.delete(id);
  await assert.rejects(retrieve(client, id), { status: 404 });
  assert.deepEqual(await list(), []);
});

test("lists are newest first, page by page, by model, endpoint, episode, time and feedback", async () => {
  const { tenant, client, list } = await furnished();
  const { stores } = deployment;
  const ids: string[] = [];
  for (const [i, model] of ["a", "b", "a", "b", "a"].entries()) {
    const endpoint = i < 3 ? "/v1/decisions" : "/v1/embeddings";
    const variant = i === 4 ? "warm" : null;
    ids.unshift((await addInference(stores, tenant, { model, endpoint, variant, metadata: { i: String(i) } })).id);
  }
  assert.deepEqual(await list(), ids);
  assert.deepEqual(await list("model=a"), [ids[0], ids[2], ids[4]]);
  assert.deepEqual(await list(`model=a&limit=1&after=${ids[1]}`), [ids[2]]);
  assert.deepEqual(await list("model=a&endpoint=/v1/embeddings"), [ids[0]]);
  assert.deepEqual(await list("variant=warm"), [ids[0]]);
  assert.deepEqual(await list("function=f"), []);
  assert.deepEqual(await list(`created_after=${nowSeconds() + 60}`), []);
  assert.deepEqual(await list(`created_before=${nowSeconds() - 60}`), []);
  assert.deepEqual(await list(`created_after=${nowSeconds() - 60}&created_before=${nowSeconds() + 60}`), ids);
  await client.post("/metrics", { body: { name: "stars", type: "float", level: "inference", optimize: "max" } });
  for (const [i, value] of [5, 2].entries()) {
    await client.post("/feedback", { body: { inference_id: ids[i], metric_name: "stars", value } });
  }
  assert.deepEqual(await list("has_feedback=true"), ids.slice(0, 2));
  assert.deepEqual(await list("has_feedback=false"), ids.slice(2));
  assert.deepEqual(await list("metric_name=stars&metric_min=3"), [ids[0]]);
  assert.deepEqual(await list("metric_name=stars&metric_max=2.5&model=b"), [ids[1]]);
  assert.deepEqual(await list("metric_name=others"), []);
  const pages: string[] = [];
  for (let after = ""; ; after = `&after=${pages.at(-1)}`) {
    const page = (await client.get(`/inferences?limit=2${after}`)) as Page<Inference>;
    pages.push(...page.data.map(({ id }) => id));
    if (!page.has_more) break;
  }
  assert.deepEqual(pages, ids);
});

test("an episode is begun by a header, and joined by it, by a stream, by metadata and by a batch's line", async () => {
  const { tenant, client, model, list } = await furnished();
  const ask = async (value: string, body: object = {}) => {
    const created = client.chat.completions.create({ model, messages, ...body }, { headers: { [header]: value } });
    const { response, data } = await created.withResponse();
    return { episode: response.headers.get(header)!, data, id: response.headers.get("x-request-id")! };
  };
  const first = await ask("new");
  assert.match(first.episode, /^ep_[0-9a-z]{26}$/);
  const second = await ask(first.episode, { stream: true });
  for await (const _ of second.data as unknown as AsyncIterable<object>);
  assert.equal(second.episode, first.episode);
  const labelled = { model, messages, metadata: { episode_id: first.episode } };
  const third = (await client.chat.completions.create(labelled))._request_id!;
  const others = await ask("new");
  assert.notEqual(others.episode, first.episode);
  assert.deepEqual(await list(`episode_id=${first.episode}`), [third, second.id, first.id]);

  const { create, lines } = batchesOf(deployment, { apiKey: tenant.key });
  const line = { custom_id: "c", method: "POST", url: "/v1/chat/completions", body: { ...labelled } };
  const batch = await create([line], { endpoint: "/v1/chat/completions" });
  const row = { id: batch.id, project_id: tenant.project.id };
  await workOn(workerContext(deployment, host), "batch", row);
  const [answer] = await lines((await client.batches.retrieve(batch.id)).output_file_id);
  const { request_id, body } = answer!.response as { request_id: string; body: { id: string } };
  assert.equal(body.id.slice(-26), request_id.slice(-26));
  assert.equal((await list(`episode_id=${first.episode}`)).length, 4);
  assert.equal((await retrieve(client, request_id)).episode_id, first.episode);
});

test("a wrong episode is named, and nobody else's label is taken for one", async () => {
  const { client, model } = await furnished();
  const missing = newId("episode");
  const ask = (value: string | undefined, metadata?: Record<string, string>) =>
    client.chat.completions.create({ model, messages, metadata }, { headers: value ? { [header]: value } : {} });
  await assert.rejects(ask("yesterday's"), { status: 400, param: header });
  await assert.rejects(ask(missing), { status: 404, param: header });
  await assert.rejects(ask(undefined, { episode_id: missing }), { status: 404, param: "metadata.episode_id" });
  await assert.rejects(ask(undefined, { episode_id: "ep_1" }), { status: 400, param: "metadata.episode_id" });
  await assert.rejects(ask("new", { episode_id: missing }), { status: 400, param: header });
  assert.ok((await ask(undefined, { episode_id: "s01e02" })).id);
});

test("a sample is the same for each id, as large as asked for, and never leaves out what is to be stored", async () => {
  const ids = Array.from({ length: 4000 }, () => newId("request"));
  const kept = ids.filter((id) => isSampled(id, 0.3));
  assert.ok(Math.abs(kept.length / ids.length - 0.3) < 0.05, `${kept.length} of ${ids.length}`);
  assert.ok(kept.every((id) => isSampled(id, 0.5)));
  const { client, model, list } = await furnished({ inference_records: "full", inference_sampling_rate: 0 });
  await client.chat.completions.create({ model, messages });
  assert.deepEqual(await list(), []);
  await client.chat.completions.create({ model, messages, store: true });
  assert.equal((await list()).length, 1);
});

test("what has expired is gone before the table drops it, and its objects follow", async () => {
  const { tenant, client, model, list } = await furnished({ inference_records: "full", inference_retention_days: 30 });
  const kept = await client.chat.completions.create({ model, messages });
  const { expires_at, created_at } = await retrieve(client, kept.id);
  assert.equal(expires_at, created_at + 30 * day);
  const input = { text: "x".repeat(100_000) };
  const past = await addInference(deployment.stores, tenant, { input, is_stored: true, expires_at: nowSeconds() - 1 });
  assert.deepEqual(await list(), [kept._request_id]);
  assert.deepEqual(await list("model=ft:tiny"), []);
  await assert.rejects(retrieve(client, past.id), { status: 404 });
  const judged = { inference_id: past.id, metric_name: "comment", value: "late" };
  await assert.rejects(client.post("/feedback", { body: judged }), { status: 404, param: "inference_id" });
  const { objects, leftovers } = deployment.stores;
  const key = objectKeys.inference(tenant.project.id, past.id, "input");
  assert.ok(await objects.get(key));
  assert.equal(await clearLeftovers(leftovers), 1);
  assert.equal(await objects.get(key), undefined);
  assert.equal(await clearLeftovers(leftovers), 0);
});

test("deleting takes what was said, and what was said of it", async () => {
  const { tenant, client, list } = await furnished();
  const { stores } = deployment;
  const output = { text: "x".repeat(100_000) };
  const { id } = await addInference(stores, tenant, { output });
  const long = "y".repeat(100_000);
  await client.post("/feedback", { body: { inference_id: id, metric_name: "demonstration", value: long } });
  await client.post("/feedback", { body: { inference_id: id, metric_name: "comment", value: "so so" } });
  const given = (await client.get(`/feedback?inference_id=${id}`)) as Page<{ id: string }>;
  assert.equal(given.data.length, 2);
  assert.deepEqual(
    { ...(await (client.delete(`/inferences/${id}`) as Promise<object>)) },
    { id, object: "inference.deleted", deleted: true },
  );
  await assert.rejects(client.delete(`/inferences/${id}`), { status: 404 });
  assert.deepEqual(await list("has_feedback=true"), []);
  assert.deepEqual(((await client.get("/feedback")) as Page<object>).data, []);
  const keys = [
    objectKeys.inference(tenant.project.id, id, "output"),
    ...given.data.map((each) => objectKeys.feedback(tenant.project.id, each.id)),
  ];
  for (const key of keys) assert.equal(await stores.objects.get(key), undefined);
});

test("who dies while deleting leaves nothing that nobody clears", async () => {
  const { tenant, client } = await furnished();
  const { stores, aws, names } = deployment;
  const { id } = await addInference(stores, tenant, { output: { text: "x".repeat(100_000) } });
  await client.post("/feedback", { body: { inference_id: id, metric_name: "comment", value: "so so" } });
  const clear = async () => Promise.reject(new Error("killed"));
  const dying = createInferences(createTable(aws.dynamodb, names.table), stores.objects, { ...stores, clear });
  await assert.rejects(dying.delete((await stores.inferences.get(tenant.project.id, id))!), /killed/);
  const left = async () => ((await client.get("/feedback")) as Page<object>).data.length;
  assert.equal(await left(), 1);
  await clearLeftovers(stores.leftovers);
  assert.equal(await left(), 0);
  assert.equal(await stores.objects.get(objectKeys.inference(tenant.project.id, id, "output")), undefined);
});

test("a batch's decisions are inferences under the ids of its lines", async () => {
  const { tenant, client, model, list } = await furnished();
  const { create, lines } = batchesOf(deployment, { apiKey: tenant.key });
  const batch = await create([decisionLine("a", model, "spam")]);
  await workOn(workerContext(deployment, host), "batch", { id: batch.id, project_id: tenant.project.id });
  const [answer] = await lines((await client.batches.retrieve(batch.id)).output_file_id);
  assert.deepEqual(await list("endpoint=/v1/decisions"), [answer!.response!.request_id]);
});
