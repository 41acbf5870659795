/** The canary of a turn: an experiment that a worker begins, watches and ends, and what people may do with it; and when a turn begins by itself. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newId } from "../../../shared/ids.ts";
import { usualDataRules } from "../../../shared/promotion/dataGate.ts";
import { usualOfflineRules } from "../../../shared/promotion/offlineGate.ts";
import type { MillraceFunction } from "../../../shared/schemas/function.ts";
import type { PromotionRecord } from "../../../shared/schemas/promotion.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { drawn } from "../../support/experiments.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addInference, addModel, buildVersion } from "../../support/records.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

let deployment: Deployment;
let models: string[];
const project_id = () => deployment.a.project.id;

before(async () => {
  deployment = await deploy({ host: fakeHost() });
  const metric = { name: "solved", type: "boolean", level: "inference", optimize: "max" };
  await deployment.client().post("/metrics", { body: metric });
  models = await Promise.all([1, 2].map(async () => (await addModel(deployment.stores, deployment.a)).id));
  await buildVersion(deployment.stores, deployment.a, "intents");
});
after(() => deployment.close());

/** A turn whose candidate has passed the gate, on a function of its own. */
async function atCanary(name: string): Promise<PromotionRecord> {
  await deployment.client().post("/functions", { body: { name, variants: [{ name: "first", model: models[0] }] } });
  const now = Math.floor(Date.now() / 1000);
  const promotion: PromotionRecord = {
    ...{ id: newId("promotion"), object: "promotion", function: name, turn: 1, status: "canary", step: "canary" },
    ...{ trigger: "manual", incumbent: "first", candidate: "turn-1", model: models[1]! },
    ...{ dataset_version: newId("dataset_version"), fine_tuning_job: newId("job"), experiment_id: null },
    ...{ data: null, offline: null, canary: null, created_at: now, finished_at: null, project_id: project_id() },
    history: [{ from: null, to: "canary", at: now, by: "test", reason: "Begun." }],
    policy: {
      recipe: { dataset: "intents", sources: [{ type: "inferences" }] },
      test_set: { dataset: "intents", version: 1 },
      training: { model: "millrace-ngram", hyperparameters: {}, seed: 1 },
      metric_name: "solved",
      gate: { ...usualOfflineRules, ...usualDataRules },
      canary: { shares: [0.1, 0.5], outcomes: 200, patience_seconds: 3600 },
      budget: { turns_per_day: 24, job_seconds: 60 },
    },
    ...{ passed_version: null, lease: null, failures: 0 },
  };
  await deployment.stores.promotions.create(promotion);
  return promotion;
}

const row = async ({ id }: { id: string }) => (await deployment.stores.promotions.get(project_id(), id))!;
async function work(promotion: PromotionRecord): Promise<PromotionRecord> {
  await workOn(workerContext(deployment, fakeHost()), "promotion", promotion);
  return row(promotion);
}
const called = (name: string) => deployment.client().get<MillraceFunction>(`/functions/${name}`);
const ask = (promotion: PromotionRecord, verb: string) =>
  deployment.client().post<PromotionRecord>(`/functions/${promotion.function}/promotions/${promotion.id}/${verb}`);

/** Units alternating between incumbent and candidate, of whom so many percent are content. */
async function simulate(
  { experiment_id, function: name }: PromotionRecord,
  from: number,
  units: number,
  content: readonly number[],
) {
  const { stores, a } = deployment;
  const one = async (i: number) => {
    const [unit, arm] = [`unit ${i}`, i % 2];
    const of = { function: name, variant: arm ? "turn-1" : "first", experiment_id: experiment_id!, unit };
    const { id, created_at } = await addInference(stores, a, { id: newId("request"), ...of });
    const call = { inference_id: id, episode_id: null, latency_ms: 1, is_error: false, is_refusal: false };
    const assigned = { experiment_id: experiment_id!, unit, unit_kind: "person" as const, arm, stage: 0 };
    await stores.exposures.log({ project_id: project_id(), ...assigned, ...call, created_at, expires_at: null });
    const value = 100 * drawn(name, i) < content[arm]!;
    await stores.feedback.give({
      project_id: project_id(),
      level: "inference",
      target: id,
      metric_name: "solved",
      value,
    });
  };
  for (let i = from; i < from + units; i += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => one(i + k)));
}

test("a canary is begun once, ramped as outcomes come in, and promotes who does no harm", async () => {
  const promotion = await atCanary("kind");
  await work(promotion);
  // As if the worker had died before it wrote down what it had begun.
  const begun = (await row(promotion)).experiment_id!;
  const lease = { attempt_id: "attempt_died", expires_at: Date.now() + 1000 };
  await deployment.stores.promotions.acquire(await row(promotion), lease);
  await deployment.stores.promotions.wait(promotion, lease.attempt_id, 0, { experiment_id: null });
  assert.equal((await work(promotion)).experiment_id, begun, "the one that it began");
  const { enrolled_share, arms } = (await deployment.stores.experiments.get(project_id(), begun))!;
  assert.deepEqual([enrolled_share, arms.map(({ variant }) => variant)], [0.2, ["first", "turn-1"]]);

  assert.equal((await work(promotion)).canary!.decision, "wait");
  await simulate(await row(promotion), 0, 200, [80, 85]);
  assert.equal((await work(promotion)).canary!.decision, "next_step");
  assert.equal((await deployment.stores.experiments.get(project_id(), begun))!.enrolled_share, 1);
  await simulate(await row(promotion), 200, 200, [80, 85]);
  const done = await work(promotion);
  assert.deepEqual([done.status, done.canary!.outcomes, done.canary!.share], ["promoted", 400, 0.5]);
  const { incumbent, experiment_id, incumbent_set_by } = await called("kind");
  assert.deepEqual([incumbent, experiment_id, incumbent_set_by], ["turn-1", null, promotion.id]);
  assert.equal((await ask(promotion, "revert")).status, "rolled_back");
  assert.equal((await called("kind")).incumbent, "first");
});

test("a candidate that users like less is rolled back before its share grows", async () => {
  const promotion = await atCanary("harmful");
  const begun = await work(promotion);
  await simulate(begun, 0, 240, [95, 30]);
  const done = await work(promotion);
  assert.deepEqual([done.status, done.canary!.share], ["rolled_back", 0.1], done.history.at(-1)!.reason);
  assert.ok(done.canary!.upper! < 0);
  const { incumbent, experiment_id } = await called("harmful");
  assert.deepEqual([incumbent, experiment_id], ["first", null]);
});

test("a held canary exposes nobody; forced, its candidate answers at once; reverted, the incumbent does", async () => {
  const promotion = await atCanary("held");
  const { experiment_id } = await work(promotion);
  const status = async () => (await deployment.stores.experiments.get(project_id(), experiment_id!))!.status;
  assert.equal((await ask(promotion, "hold")).status, "held");
  assert.equal(await status(), "paused");
  assert.equal((await work(promotion)).status, "held", "a message that comes late changes nothing");
  assert.equal((await ask(promotion, "resume")).status, "canary");
  assert.equal(await status(), "running");
  assert.equal((await ask(promotion, "force")).status, "promoted");
  assert.deepEqual([await status(), (await called("held")).incumbent], ["ended", "turn-1"]);
  const other = await atCanary("reverted");
  await work(other);
  assert.equal((await ask(other, "revert")).status, "rolled_back");
  assert.deepEqual([(await called("reverted")).incumbent, (await called("reverted")).experiment_id], ["first", null]);
});

test("a worker that died over telling the end finds it ended, and promotes no second time", async () => {
  const promotion = await atCanary("died");
  const { experiment_id } = await work(promotion);
  const body = { winner: "turn-1", reason: "By hand." };
  await deployment.client().post(`/experiments/${experiment_id}/end`, { body });
  const done = await work(promotion);
  assert.deepEqual([done.status, done.history.at(-1)!.reason], ["promoted", "By hand."]);
});

test("a turn begins by itself once enough answers were judged, one at a time", async () => {
  const { stores, a } = deployment;
  const client = deployment.client();
  await client.post("/functions", { body: { name: "watched", variants: [{ name: "first", model: models[0] }] } });
  const recipe = { dataset: "watched", sources: [{ type: "inferences", function: "watched" }] };
  const body = {
    ...{ trigger: { new_rows: 3 }, recipe, test_set: { dataset: "intents", version: 1 } },
    training: { model: "millrace-ngram" },
  };
  await client.put("/functions/watched/policy", { body });
  const look = async () => {
    await workOn(workerContext(deployment, fakeHost()), "policy", { id: "watched", project_id: project_id() });
    return (await client.get<{ data: PromotionRecord[] }>("/functions/watched/promotions")).data;
  };
  const judge = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const { id } = await addInference(stores, a, { id: newId("request"), function: "watched" });
      await stores.feedback.give({
        project_id: project_id(),
        level: "inference",
        target: id,
        metric_name: "solved",
        value: true,
      });
    }
  };
  await judge(2);
  assert.deepEqual(await look(), []);
  assert.equal(
    (await stores.policies.overdue(Date.now() + 60_000, 10)).some(({ id }) => id === "watched"),
    true,
  );
  await judge(1);
  const [begun, ...more] = await look();
  assert.deepEqual([begun!.trigger, begun!.status, more.length], ["new_rows", "collecting", 0]);
  await judge(5);
  assert.equal((await look()).length, 1, "while it is under way no other begins");
  await client.put("/functions/watched/policy", { body: { ...body, trigger: null } });
  assert.equal(
    (await stores.policies.overdue(Date.now() + 60_000, 10)).some(({ id }) => id === "watched"),
    false,
  );
});

test("a turn begins when what comes in has moved, and drift is not looked for again and again", async () => {
  const { stores, a } = deployment;
  const client = deployment.client();
  await client.post("/functions", { body: { name: "moving", variants: [{ name: "first", model: models[0] }] } });
  const recipe = { dataset: "moving", sources: [{ type: "inferences", function: "moving" }] };
  const training = { model: "millrace-ngram" };
  const body = { trigger: { drift: true }, recipe, test_set: { dataset: "intents", version: 1 }, training };
  await client.put("/functions/moving/policy", { body });
  const output = { answers: [{ type: "choice", choice: "ham" }] };
  const answer = async (text: string) => {
    const said = { endpoint: "/v1/decisions", function: "moving", input: { input: text }, output };
    return (await addInference(stores, a, { id: newId("request"), ...said })).id;
  };
  const words = ["invoice", "refund", "charge", "payment", "receipt"];
  for (let i = 0; i < 60; i++) await answer(`my ${words[i % 5]} and ${words[(i * 3 + 1) % 5]} of ${i}`);
  let last = "";
  for (let i = 0; i < 150; i++) last = await answer(`蓝色的天空 ${i} 小狗跑得很快 ${i % 7}`);
  await stores.feedback.give({
    project_id: project_id(),
    level: "inference",
    target: last,
    metric_name: "solved",
    value: true,
  });
  await workOn(workerContext(deployment, fakeHost()), "policy", { id: "moving", project_id: project_id() });
  const { data } = await client.get<{ data: PromotionRecord[] }>("/functions/moving/promotions");
  assert.deepEqual(
    data.map(({ trigger }) => trigger),
    ["drift"],
  );
  const { drift_looked_at } = (await stores.policies.get(project_id(), "moving"))!;
  assert.ok(Date.now() / 1000 - drift_looked_at < 60);
});
