/** From rows to labels to rows: queues put in order by workers, handed out one labeller a seat, and taken in as a dataset. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { toFile } from "openai";
import type { DatasetRow } from "../../shared/datasets/row.ts";
import type { DatasetVersion } from "../../shared/schemas/dataset.ts";
import type { Label, LabelItem, LeasedItem } from "../../shared/schemas/label.ts";
import type { LabelDoctorReport } from "../../shared/schemas/labelDoctor.ts";
import type { LabelAgreement, LabelQueue } from "../../shared/schemas/labelQueue.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addInference, addModel } from "../support/records.ts";
import { jsonl } from "../support/trainingData.ts";
import { workerContext, workOn } from "../support/workerTasks.ts";

const host = fakeHost();
let deployment: Deployment;
let context: ReturnType<typeof workerContext>;
before(async () => {
  deployment = await deploy({ host });
  context = workerContext(deployment, host);
});
after(() => deployment.close());

const client = () => deployment.client();
const get = <Answer>(path: string, query = {}) => client().get<Answer>(path, { query });
const post = <Answer>(path: string, body?: object) => client().post<Answer>(path, body && { body });
const refused = (asked: PromiseLike<unknown>, error: object) => assert.rejects(Promise.resolve(asked), error);

async function queueOf(body: object): Promise<LabelQueue> {
  const asked = await post<LabelQueue>("/label_queues", body);
  assert.equal(asked.status, "building");
  await workOn(context, "label_queue", { id: asked.id, project_id: deployment.a.project.id });
  return get<LabelQueue>(`/label_queues/${asked.id}`);
}

async function datasetOf(name: string, sources: object[]): Promise<{ version: DatasetVersion; rows: DatasetRow[] }> {
  const asked = await post<DatasetVersion>(`/datasets/${name}/versions`, { sources });
  await workOn(context, "dataset_version", { id: asked.id, project_id: deployment.a.project.id });
  const path = `/datasets/${name}/versions/${asked.version}`;
  const version = await get<DatasetVersion>(path);
  if (version.status !== "ready") return { version, rows: [] };
  const content = await (await deployment.fetch(`/v1${path}/content`)).text();
  return {
    version,
    rows: content
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as DatasetRow),
  };
}

async function uploaded(rows: readonly unknown[]): Promise<object> {
  const file = await toFile(Buffer.from(jsonl(rows)), "rows.jsonl");
  const { id: file_id } = await client().files.create({ file, purpose: "fine-tune" });
  return { type: "file", file_id };
}

const next = (query: object) => get<{ queue_id: string; data: LeasedItem[] }>("/label_queue", query);
const say = (item_id: string, labeller: string, answer: object) =>
  post<Label>("/labels", { item_id, labeller, ...answer });

/** Asked of a model whose answer is the likelier the more often the text says it. */
async function asked(model: string, input: string): Promise<string> {
  const questions = [{ type: "choice" as const, instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] }];
  const { response } = await client().decisions.create({ model, input, questions }).withResponse();
  return response.headers.get("x-request-id")!;
}

async function recordAll(): Promise<void> {
  await post(`/organization/projects/${deployment.a.project.id}`, { inference_records: "full" });
}

test("what a model was least sure of comes first, each text once, and labels become rows with where they are from", async () => {
  await recordAll();
  const { id: model } = await addModel(deployment.stores, deployment.a);
  await asked(model, "spam spam spam spam");
  const torn = await asked(model, "ham and spam");
  await asked(model, "ham ham spam");
  const again = await asked(model, "ham and spam");
  const queue = await queueOf({
    source: { type: "inferences", model },
    ...{ strategy: "uncertainty", labels: ["ham", "spam"] },
  });
  assert.deepEqual([queue.status, queue.candidates, queue.items], ["ready", 3, 3], JSON.stringify(queue.error));

  const { data } = await next({ labeller: "ann", limit: 2, strategy: "uncertainty" });
  assert.deepEqual(
    data.map(({ text }) => text),
    ["ham and spam", "ham ham spam"],
  );
  assert.ok("inference_id" in data[0]!.origin && [torn, again].includes(data[0]!.origin.inference_id));
  assert.equal(data[1]!.suggestions[0]!.label, "ham");
  const first = data[0]!.id;
  const label = await say(first, "ann", { label: "ham" });
  assert.deepEqual(await say(first, "ann", { label: "ham" }), label, "the same again is that one");
  const corrected = await say(first, "ann", { label: "spam" });
  assert.notEqual(corrected.id, label.id);
  await say(data[1]!.id, "ann", { outcome: "cannot_tell" });

  const { rows } = await datasetOf("labelled", [{ type: "labels", queue_id: queue.id }]);
  const origin = { type: "labels", queue_id: queue.id, item_id: first, label_ids: [corrected.id] };
  assert.deepEqual(
    rows.map(({ text, label, origins }) => ({ text, label, origins })),
    [{ text: "ham and spam", label: "spam", origins: [origin] }],
  );
});

test("what a queue asks of a model is counted once", async () => {
  const { id: model } = await addModel(deployment.stores, deployment.a);
  await datasetOf("counted", [
    await uploaded([
      { text: "ham and spam", label: "ham" },
      { text: "spam", label: "spam" },
    ]),
  ]);
  const source = { type: "dataset", dataset: "counted", version: 1 };
  const queue = await queueOf({ source, strategy: "uncertainty", model });
  const records = await Array.fromAsync(deployment.stores.usage.stream(deployment.a.project.id, 0, 1e10));
  const counted = records.filter(({ id }) => id.startsWith(queue.id));
  // Under the queue's own time, so that one who does it again after a worker died writes the same row.
  assert.deepEqual(
    counted.map(({ kind, requests, input_tokens, created_at }) => ({ kind, requests, input_tokens, created_at })),
    [{ kind: "decisions", requests: 1, input_tokens: 4, created_at: queue.created_at }],
  );
});

test("many labellers at once never have the same row, and every row gets as many as it wants", async () => {
  const texts = Array.from({ length: 14 }, (_, i) => ({ text: `text number ${i}`, label: i % 2 ? "a" : "b" }));
  await datasetOf("shared", [await uploaded(texts)]);
  const source = { type: "dataset", dataset: "shared", version: 1 };
  const queue = await queueOf({ source, strategy: "diversity", overlap: 2 });
  assert.equal(queue.items, 14);
  const holders = new Map<string, Set<string>>();
  const work = async (labeller: string) => {
    for (;;) {
      const { data } = await next({ queue_id: queue.id, labeller, limit: 3 });
      if (data.length === 0) return;
      for (const { id } of data) {
        const now = holders.get(id) ?? new Set();
        holders.set(id, now.add(labeller));
        assert.ok(now.size <= 2, `${id} is with ${[...now].join(", ")}`);
        await say(id, labeller, { label: labeller < "l2" ? "a" : "b" });
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => work(`l${i}`)));
  const items = (await get<{ data: LabelItem[] }>(`/label_queues/${queue.id}/items`, { limit: 100 })).data;
  for (const { id, answers, state, place } of items) {
    assert.equal(state, "closed");
    assert.equal(new Set(answers.map(({ labeller }) => labeller)).size, 2, id);
    assert.deepEqual(
      [...holders.get(id)!].sort(),
      answers.map(({ labeller }) => labeller),
      `${place}`,
    );
  }
  const agreement = await get<LabelAgreement>(`/label_queues/${queue.id}/agreement`);
  assert.deepEqual([agreement.compared, agreement.open, agreement.closed], [14, 0, 14]);
  const done = agreement.labellers.reduce((sum, { labelled }) => sum + labelled, 0);
  assert.equal(done, 28);
  const unanimous = items.filter(({ answers }) => new Set(answers.map(({ label }) => label)).size === 1);
  assert.equal(agreement.unanimous, unanimous.length);
  const disputed = await queueOf({ source: { type: "labels", queue_id: queue.id }, strategy: "disagreement" });
  assert.equal(disputed.items, 14 - unanimous.length);
});

test("a row goes back when its lease runs out, stays with who asks again, and goes to another when it is skipped", async () => {
  await datasetOf("leased", [
    await uploaded([
      { text: "one", label: "a" },
      { text: "two", label: "b" },
    ]),
  ]);
  const source = { type: "dataset", dataset: "leased", version: 1 };
  const { id: queue_id } = await queueOf({ source, strategy: "diversity" });
  const [held] = (await next({ queue_id, labeller: "ann", lease_seconds: 1 })).data;
  assert.equal((await next({ queue_id, labeller: "ann", lease_seconds: 1 })).data[0]!.id, held!.id);
  const [other] = (await next({ queue_id, labeller: "bob" })).data;
  assert.notEqual(other!.id, held!.id);
  assert.deepEqual((await next({ queue_id, labeller: "eve", limit: 5 })).data, []);
  await refused(say(held!.id, "eve", { label: "a" }), { status: 409, code: "invalid_state", param: "item_id" });
  // As if the second had passed.
  const row = (await deployment.stores.labelItems.get(deployment.a.project.id, held!.id))!;
  await deployment.stores.labelItems.putAll([{ ...row, leases: { ann: Date.now() - 1 }, revision: row.revision + 1 }]);
  const [taken] = (await next({ queue_id, labeller: "eve", limit: 5 })).data;
  assert.equal(taken!.id, held!.id);
  await refused(say(held!.id, "ann", { label: "a" }), { status: 409 });
  await say(taken!.id, "eve", { outcome: "skipped" });
  assert.deepEqual((await next({ queue_id, labeller: "eve" })).data, []);
  assert.equal((await next({ queue_id, labeller: "dan" })).data[0]!.id, held!.id);
});

test("models, feedback and the other rows each have a queue of what they contradict", async () => {
  const { id: model } = await addModel(deployment.stores, deployment.a);
  await post("/metrics", { name: "solved", type: "boolean", level: "inference", optimize: "max" });
  const wrong = await asked(model, "spam is what it says");
  await asked(model, "nobody minds ham");
  const fine = await asked(model, "ham it is");
  await post("/feedback", { inference_id: wrong, metric_name: "solved", value: false });
  await post("/feedback", { inference_id: fine, metric_name: "solved", value: true });
  const source = { type: "inferences", model };
  const byFeedback = await queueOf({ source, strategy: "disagreement" });
  assert.equal(byFeedback.items, 1);
  const [item] = (await get<{ data: LabelItem[] }>(`/label_queues/${byFeedback.id}/items`)).data;
  assert.deepEqual([item!.origin, item!.given, item!.score], [{ type: "inference", inference_id: wrong }, "spam", 1]);

  const words = (label: string) => (label === "ham" ? "meet me for lunch with ham" : "a prize of spam was won");
  const rows = Array.from({ length: 40 }, (_, i) => {
    const label = i % 2 ? "spam" : "ham";
    return { text: `${words(label)} ${i}`, label: i === 12 ? "spam" : label };
  });
  await datasetOf("noisy", [await uploaded(rows)]);
  const noisy = { type: "dataset", dataset: "noisy", version: 1 };
  for (const wish of [{ strategy: "disagreement", model }, { strategy: "suspected_error" }]) {
    const queue = await queueOf({ source: noisy, ...wish, size: 1 });
    const [first] = (await next({ queue_id: queue.id, labeller: "ann" })).data;
    assert.deepEqual([first!.text, first!.given, first!.suggestions[0]!.label], [rows[12]!.text, "spam", "ham"]);
    assert.deepEqual("line" in first!.origin && first!.origin.line, 13);
  }
});

test("the label doctor ranks what is probably wrong, once for a version", async () => {
  const called = await post<LabelDoctorReport>("/datasets/noisy/versions/1/doctor");
  assert.deepEqual([called.status, called.result], ["building", null]);
  assert.equal((await post<LabelDoctorReport>("/datasets/noisy/versions/1/doctor")).id, called.id);
  await workOn(context, "label_doctor", { id: called.id, project_id: deployment.a.project.id });
  const { status, result } = await get<LabelDoctorReport>("/datasets/noisy/versions/1/doctor");
  assert.equal(status, "ready");
  const { line, given, suggested, given_probability, suggested_probability } = result!.suspects[0]!;
  assert.deepEqual([line, given, suggested], [13, "spam", "ham"]);
  assert.ok(given_probability < suggested_probability);
  assert.deepEqual([result!.rows, result!.suspected], [40, 1]);
});

test("what fails for a passing reason is tried again, and what goes on failing ends with its cause", async () => {
  const { version } = await datasetOf("lost", [
    await uploaded([
      { text: "one", label: "a" },
      { text: "two", label: "b" },
    ]),
  ]);
  const { object_key } = (await deployment.stores.datasets.versions.get(deployment.a.project.id, version.id))!;
  await deployment.stores.objects.delete(object_key!);
  const source = { type: "dataset", dataset: "lost", version: 1 };
  const { id } = await post<LabelQueue>("/label_queues", { source, strategy: "diversity" });
  const row = { id, project_id: deployment.a.project.id };
  const outcomes = [];
  for (let tries = 0; tries < 3; tries++) outcomes.push((await workOn(context, "label_queue", row)).type);
  assert.deepEqual(outcomes, ["retry", "retry", "buried"]);
  const queue = await get<LabelQueue>(`/label_queues/${id}`);
  assert.deepEqual([queue.status, queue.error?.code], ["failed", "attempts_exhausted"]);
  assert.match(queue.error!.message, /is missing/);
  const stopped = new AbortController();
  stopped.abort();
  const other = await post<LabelQueue>("/label_queues", { source: { type: "inferences" }, strategy: "diversity" });
  const asked = { id: other.id, project_id: deployment.a.project.id };
  assert.deepEqual(await workOn(context, "label_queue", asked, stopped.signal), { type: "retry", seconds: 0 });
  const { status, lease, failures } = (await deployment.stores.labelQueues.get(asked.project_id, asked.id))!;
  assert.deepEqual([status, lease, failures], ["building", null, 0], "a worker that must go leaves it as it was");
  assert.deepEqual(await workOn(context, "label_queue", asked), { type: "done" });
});

test("what is deleted is not labelled, and nobody learns from it", async () => {
  const input = { input: "short lived" };
  const { id } = await addInference(deployment.stores, deployment.a, {
    model: "ft:gone",
    input,
    output: { answers: [] },
  });
  await addInference(deployment.stores, deployment.a, {
    ...{ model: "ft:gone", input: { input: "stays" }, output: { answers: [] } },
  });
  const queue = await queueOf({ source: { type: "inferences", model: "ft:gone" }, strategy: "diversity" });
  assert.equal(queue.items, 2);
  await client().delete(`/inferences/${id}`);
  const { data } = await next({ queue_id: queue.id, labeller: "ann", limit: 2 });
  assert.deepEqual(
    data.map(({ text }) => text),
    ["stays"],
  );
  const { version } = await datasetOf("gone", [{ type: "labels", queue_id: queue.id }]);
  assert.equal(version.error?.code, "empty_dataset");
});

test("what cannot be is refused with the field at fault, and a stranger's is not there", async () => {
  const source = { type: "inferences" };
  const ask = (body: object) => post("/label_queues", { source, strategy: "uncertainty", ...body });
  await refused(ask({ model: "ft:none" }), { status: 404, param: "model" });
  await refused(ask({ model: "millrace-ngram" }), { status: 400, param: "model" });
  await refused(ask({ strategy: "suspected_error", model: "millrace-ngram" }), { status: 400, param: "model" });
  await refused(ask({ source: { type: "dataset", dataset: "none", version: 1 } }), { status: 400, param: "source" });
  await refused(ask({ source: { type: "labels", queue_id: "lq_none" } }), { status: 400, param: "strategy" });
  const noisy = { type: "dataset", dataset: "noisy", version: 1 };
  await refused(ask({ source: noisy, strategy: "disagreement" }), { status: 400, param: "model" });
  const empty = await queueOf({ source: { type: "inferences", model: "ft:nobody" }, strategy: "diversity" });
  assert.deepEqual([empty.status, empty.error?.code, empty.error?.param], ["failed", "empty_source", "source"]);
  await refused(next({ queue_id: empty.id }), { status: 409, param: "queue_id" });

  const queue = await queueOf({ source: noisy, strategy: "diversity", labels: ["ham", "spam"] });
  const [item] = (await next({ queue_id: queue.id, labeller: "ann" })).data;
  await refused(say(item!.id, "ann", { label: "eggs" }), { status: 400, param: "label" });
  await refused(say(item!.id, "ann", {}), { status: 400, code: "missing_required_parameter", param: "label" });
  await refused(say(item!.id, "ann", { outcome: "skipped", label: "ham" }), { status: 400, param: "label" });
  await refused(say(item!.id, "no spaces", { label: "ham" }), { status: 400, param: "labeller" });
  await refused(next({ queue_id: queue.id, strategy: "uncertainty" }), { status: 400, param: "strategy" });
  const stranger = deployment.client({ apiKey: deployment.keys.b });
  const body = { item_id: item!.id, labeller: "ann", label: "ham" };
  await refused(stranger.post("/labels", { body }), { status: 404, param: "item_id" });
  await refused(stranger.get("/label_queue", { query: { queue_id: queue.id } }), { status: 404 });
  await refused(stranger.get("/label_queue"), { status: 404 });
  const versions = stranger.post("/datasets/theirs/versions", {
    body: { sources: [{ type: "labels", queue_id: queue.id }] },
  });
  await refused(versions, { status: 400, param: "sources[0].queue_id" });
});
