/** What is asked of models aside, for a drift or a promotion, is in the project's usage, and once though it was asked twice. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newId } from "../../../shared/ids.ts";
import { nanosOf, usualPrices } from "../../../shared/pricing/prices.ts";
import type { PromotionRecord } from "../../../shared/schemas/promotion.ts";
import type { UsageRecord } from "../../../shared/schemas/usage.ts";
import { labelsBy } from "../../../workers/tasks/promotion/readings.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addInference, addModel } from "../../support/records.ts";
import { workerContext } from "../../support/workerTasks.ts";

const host = fakeHost();
let deployment: Deployment;
before(async () => {
  deployment = await deploy({ host });
});
after(() => deployment.close());

async function recordsOf(kind: UsageRecord["kind"], model: string): Promise<UsageRecord[]> {
  const records = await Array.fromAsync(deployment.stores.usage.stream(deployment.a.project.id, 0, 1e10));
  return records.filter((record) => record.kind === kind && record.model === model);
}

const words = (text: string) => text.match(/\p{L}+/gu)!.length;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test("a drift by vectors counts the texts that it read, when it read them", async () => {
  const { stores, a } = deployment;
  const { id: model } = await addModel(stores, a);
  const base = { digest: "0".repeat(64), files: [] };
  const embedder = await addModel(stores, a, { id: "ft:tiny:acme::vectors", base_model: "tiny", base });
  const answers = [{ type: "choice", name: null, choice: "ham", confidence: 0.9, probabilities: [] }];
  const begin = Math.floor(Date.now() / 1000) - 3600;
  for (let i = 0; i < 90; i++) {
    const input = { model, input: `text number ${i}`, questions: [] };
    await addInference(stores, a, {
      ...{ id: newId("request"), model, created_at: begin + i, input },
      output: { model, answers, usage: {} },
    });
  }
  const query = { reference: 40, window: 40, base: embedder.id };
  const ask = () => deployment.client().get(`/models/${encodeURIComponent(model)}/drift`, { query });
  await ask();
  const read = host.asked.filter((asked) => asked.model === embedder.id);
  const records = await recordsOf("embeddings", embedder.id);
  const characters = sum(read.flatMap(({ texts }) => texts.map((text) => text.length)));
  assert.ok(characters > 0);
  assert.deepEqual(
    [sum(records.map(({ requests }) => requests)), sum(records.map(({ input_tokens }) => input_tokens))],
    [read.length, characters],
  );
  for (const { nanos, ...record } of records) assert.equal(nanos, nanosOf(usualPrices, record));
  await ask();
  assert.deepEqual(await recordsOf("embeddings", embedder.id), records, "a report that is remembered read nothing");
});

test("a promotion's questions count once, by step, though a worker died and another asked again", async () => {
  const { id: model } = await addModel(deployment.stores, deployment.a);
  const context = workerContext(deployment, host);
  const row = {
    id: newId("promotion"),
    project_id: deployment.a.project.id,
    created_at: Math.floor(Date.now() / 1000),
  };
  const lease = { signal: new AbortController().signal };
  const label = (status: PromotionRecord["status"], texts: readonly string[]) =>
    labelsBy({ context, promotion: { ...row, status }, lease, directory: deployment.home } as never, model, texts);
  const texts = Array.from({ length: 300 }, (_, i) => `ham and more ham ${"x".repeat(i % 7)} spam`);
  const first = await label("judging", texts);
  assert.deepEqual(await label("judging", texts), first);
  const calls = Math.ceil(texts.length / 128);
  const once = await recordsOf("decisions", model);
  const counted = (records: readonly UsageRecord[]) => [
    sum(records.map(({ requests }) => requests)),
    sum(records.map(({ input_tokens }) => input_tokens)),
  ];
  assert.deepEqual(counted(once), [calls, sum(texts.map(words))]);
  assert.ok(once.every(({ nanos }) => nanos > 0));
  await label("canary", texts.slice(0, 10));
  const further = await recordsOf("decisions", model);
  assert.deepEqual(counted(further), [calls + 1, sum([...texts, ...texts.slice(0, 10)].map(words))]);
});
