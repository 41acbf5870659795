/** Drift of a model and of a function, as recorded answers tell it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { driftOf } from "../../../shared/drift/drift.ts";
import { derivedId } from "../../../shared/ids.ts";
import type { DriftReport } from "../../../shared/schemas/drift.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addInference, addModel } from "../../support/records.ts";

const start = 1_790_000_000;
let deployment: Deployment;
let model: string;

interface Told {
  text: string;
  label: string;
  confidence?: number;
  episode_id?: string;
}

/** An answer a minute, as if a model had given it. */
async function answered(said: readonly Told[], from: number, more: { model?: string; function?: string } = {}) {
  const ids = said.map((_, i) => derivedId("request", (from + 60 * i) * 1000, `${JSON.stringify(more)}${i}`));
  await Promise.all(
    said.map(({ text, label, confidence = 0.9, episode_id = null as string | null }, i) => {
      const probabilities = [
        { value: label, probability: confidence },
        { value: "other", probability: 1 - confidence },
      ];
      const answers = [{ type: "choice", name: null, choice: label, confidence, probabilities }];
      return addInference(deployment.stores, deployment.a, {
        ...{ id: ids[i]!, model, created_at: from + 60 * i, episode_id, ...more },
        input: { model, input: text, questions: [] },
        output: { model, answers, usage: {} },
      });
    }),
  );
  return ids;
}

const words = ["card", "refund", "transfer", "limit", "cash"];
/** Labels and words in an order that repeats in neither half. */
const usual = (i: number): Told => {
  const word = words[(i * 7 + Math.floor(i / 5)) % 5]!;
  return { text: `my ${word} has trouble ${(i * 13) % 11}`, label: word, confidence: 0.7 + ((i * 17) % 29) / 100 };
};
const odd = (i: number): Told => ({
  text: `how do I cancel subscription number ${i % 9}?`,
  label: "cash",
  confidence: 0.5,
});
const many = (count: number, of: (i: number) => Told) => Array.from({ length: count }, (_, i) => of(i));

before(async () => {
  deployment = await deploy({ host: fakeHost() });
  model = (await addModel(deployment.stores, deployment.a)).id;
});
after(() => deployment.close());

const drift = (path: string, query = {}) => deployment.client().get<DriftReport>(`${path}/drift`, { query });
const ofModel = (id: string, query = {}) => drift(`/models/${encodeURIComponent(id)}`, query);

test("too few answers tell nothing, many alike no drift, and other questions do", async () => {
  const none = await ofModel(model);
  assert.deepEqual([none.drifted, none.measures, none.reference.rows, none.p_value], [null, [], 0, null]);

  await answered(many(110, usual), start);
  const calm = await ofModel(model, { reference: 60, window: 40, seed: 2 });
  assert.equal(calm.drifted, false, JSON.stringify(calm.measures));
  assert.deepEqual([calm.reference.rows, calm.window.rows, calm.model], [60, 40, model]);
  assert.deepEqual([calm.reference.from, calm.window.to], [start, start + 60 * 109]);
  const names = calm.measures.map(({ name }) => name);
  assert.deepEqual(names, ["lengths", "tokens", "texts", "labels", "confidence", "refusals"]);

  await answered(many(40, odd), start + 10_000, { model });
  const moved = await ofModel(model, { reference: 60, window: 40, seed: 3 });
  assert.equal(moved.drifted, true);
  const drifted = moved.measures.filter((measure) => measure.drifted).map(({ name }) => name);
  assert.deepEqual(drifted, ["lengths", "tokens", "texts", "labels", "confidence"]);
  for (const measure of moved.measures) assert.equal(measure.p_value <= 0.01, measure.statistic > measure.threshold);
  assert.deepEqual([moved.labels[0]!.label, moved.labels[0]!.window], ["cash", 1]);
  assert.match(moved.examples[0]!.text, /subscription/);
  const sure = moved.measures.find(({ name }) => name === "confidence")!;
  assert.ok(sure.reference_mean! > 0.7 && sure.window_mean === 0.5);

  // Since then, all are alike again.
  const since = await ofModel(model, { since: start + 10_000 });
  assert.equal(since.drifted, null);
  const vectors = await driftOf(deployment.stores, deployment.a.project.id, {
    ...{ of: { model }, reference: 60, window: 40 },
    embed: async (texts) => texts.map((text) => Float32Array.of(text.length % 3, 1)),
  });
  assert.equal(vectors.drifted, true);
});

test("feedback that turns is drift, and an alias means its model", async () => {
  const { id: judged } = await addModel(deployment.stores, deployment.a);
  const client = deployment.client();
  await client.post("/metrics", { body: { name: "solved", type: "boolean", level: "inference", optimize: "max" } });
  const ids = await answered(many(90, usual), start, { model: judged });
  await Promise.all(
    ids.map((inference_id, i) => {
      const body = { inference_id, metric_name: "solved", value: i < 60 ? i % 10 > 0 : i % 3 === 0 };
      return client.post("/feedback", { body });
    }),
  );
  await client.post("/aliases", { body: { name: "judged", model: judged } });
  const report = await ofModel("alias:judged", { reference: 60, window: 30 });
  assert.equal(report.model, judged);
  const drifted = report.measures.filter((measure) => measure.drifted);
  assert.deepEqual(
    drifted.map(({ name, aspect }) => [name, aspect]),
    [["solved", "outcomes"]],
  );
  assert.deepEqual([drifted[0]!.reference_mean, drifted[0]!.window_mean], [0.9, 1 / 3]);
});

test("a function's answers are looked at whichever model gave them, an episode's once", async () => {
  const client = deployment.client();
  const variants = [{ name: "first", model }];
  await client.post("/functions", { body: { name: "intent", variants } });
  const called = { function: "intent", model: "ft:another" };
  await answered(
    many(120, (i) => ({ ...usual(i), episode_id: `ep_${String(i >> 1).padStart(26, "0")}` })),
    start,
    called,
  );
  const report = await drift("/functions/intent", { reference: 50, window: 20 });
  assert.deepEqual([report.function, report.model], ["intent", null]);
  // Sixty episodes: the newest twenty are the window, and forty are left.
  assert.deepEqual([report.window.rows, report.reference.rows, report.drifted], [20, 40, false]);
});

test("what cannot be asked is refused, and a stranger's is not there", async () => {
  const refused = (asked: PromiseLike<unknown>, error: object) => assert.rejects(Promise.resolve(asked), error);
  await refused(ofModel(model, { alpha: 0.5 }), { status: 400, param: "alpha" });
  await refused(ofModel(model, { window: 5 }), { status: 400, param: "window" });
  await refused(ofModel(model, { base: "ft:none" }), { status: 404, param: "base" });
  await refused(ofModel(model, { base: "millrace-ngram" }), { status: 400, param: "base" });
  await refused(ofModel("ft:none"), { status: 404 });
  await refused(drift("/functions/none"), { status: 404 });
  const stranger = deployment.client({ apiKey: deployment.keys.b });
  await refused(stranger.get(`/models/${encodeURIComponent(model)}/drift`), { status: 404 });
  await refused(stranger.get("/functions/intent/drift"), { status: 404 });
});
