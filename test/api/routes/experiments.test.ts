/** Experiments through the SDK: who gets which variant, what is written of it, and how it is steered, read and ended. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import { readExperiment } from "../../../shared/experiments/reading.ts";
import { unit } from "../../../shared/experiments/units.ts";
import type { CreateExperiment, Experiment } from "../../../shared/schemas/experiment.ts";
import type { ExperimentResults } from "../../../shared/schemas/experimentResults.ts";
import type { MillraceFunction } from "../../../shared/schemas/function.ts";
import type { Inference } from "../../../shared/schemas/inference.ts";
import { armFor } from "../../../shared/statistics/assignment.ts";
import { batchesOf, decisionLine } from "../../support/batches.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { drawn } from "../../support/experiments.ts";
import { type FakeHost, fakeHost } from "../../support/fakeHost.ts";
import { addInference, addModel } from "../../support/records.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

let deployment: Deployment;
let client: OpenAI;
let host: FakeHost;
before(async () => {
  host = fakeHost();
  deployment = await deploy({ host });
  client = deployment.client();
  const base = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  for (const id of ["ft:old", "ft:new"]) {
    await addModel(deployment.stores, deployment.a, { id, base_model: "tiny-bert", base });
  }
  for (const [name, type, level] of [
    ["solved", "boolean", "inference"],
    ["rating", "float", "episode"],
  ]) {
    await client.post("/metrics", { body: { name, type, level, optimize: "max" } });
  }
  await record("metadata");
});
after(() => deployment.close());

const record = (inference_records: string) =>
  client.post(`/organization/projects/${deployment.a.project.id}`, { body: { inference_records } });
const variants = ["old", "new"].map((name) => ({ name, model: `ft:${name}` }));
const functionNamed = (name: string) => client.post<MillraceFunction>("/functions", { body: { name, variants } });
const arms = [{ variant: "old" }, { variant: "new" }];

async function begin(name: string, changes: Partial<CreateExperiment> = {}): Promise<Experiment> {
  await functionNamed(name);
  const asked = { function: name, method: { type: "fixed" }, metric_name: "solved", arms };
  return client.post<Experiment>("/experiments", { body: { ...asked, ...changes } });
}
const steer = (id: string, step: string, body?: object) =>
  client.post<Experiment>(`/experiments/${id}/${step}`, body ? { body } : {});
const resultsOf = (id: string) => client.get<ExperimentResults>(`/experiments/${id}/results`);

const questions = [{ type: "choice" as const, instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] }];
async function decide(name: string, more: object = {}, headers: Record<string, string> = {}) {
  const asked = client.decisions.create({ model: `fn:${name}`, input: "ham", questions, ...more }, { headers });
  const { data, response } = await asked.withResponse();
  const [variant, id, episode] = ["x-millrace-variant", "x-request-id", "x-millrace-episode"].map((header) =>
    response.headers.get(header),
  );
  assert.equal(data.model, `ft:${variant}`);
  return { variant: variant!, id: id!, episode };
}
const judge = (body: object) => client.post("/feedback", { body });
const solve = (inference_id: string, value: boolean) => judge({ inference_id, metric_name: "solved", value });
/** So many people whom each arm gets. */
function peopleIn({ id, arms: all }: Experiment, perArm: number): string[] {
  const shares = [all.map(({ share }) => share)];
  const left = all.map(() => perArm);
  const people = Array.from({ length: 20 * perArm }, (_, i) => `person ${i}`);
  return people.filter((person) => left[armFor(id, unit("person", person).key, shares)]!-- > 0);
}
const exposuresOf = ({ id }: Experiment) =>
  Array.fromAsync(deployment.stores.exposures.stream(deployment.a.project.id, id));

test("a person keeps a variant over endpoints and calls, and is exposed once", async () => {
  const experiment = await begin("sticky");
  const seen = new Map<string, string>();
  for (let i = 0; i < 40; i++) {
    const person = `user ${i % 20}`;
    const { variant } = await decide("sticky", { safety_identifier: person });
    assert.equal(seen.get(person) ?? variant, variant);
    seen.set(person, variant);
  }
  for (const [user, variant] of seen) {
    const { model } = await client.embeddings.create({ model: "fn:sticky", input: "x", user });
    assert.equal(model, `ft:${variant}`);
  }
  assert.deepEqual([...new Set(seen.values())].sort(), ["new", "old"]);
  const exposures = await exposuresOf(experiment);
  assert.equal(exposures.length, 20);
  assert.ok(exposures.every(({ unit, unit_kind }) => unit_kind === "person" && !unit.includes("user")));
  const again = Array.from({ length: 8 }, () => decide("sticky", { safety_identifier: "many at once" }));
  const { length } = new Set((await Promise.all(again)).map(({ variant }) => variant)).keys().toArray();
  assert.deepEqual([length, (await exposuresOf(experiment)).length], [1, 21]);
  const { data } = await client.get<{ data: Inference[] }>("/inferences?function=sticky&variant=new&limit=1");
  assert.deepEqual([data[0]?.experiment_id, data[0]?.variant], [experiment.id, "new"]);
  assert.ok(!("unit" in data[0]!));
});

test("an episode is a unit, and its feedback an outcome, whether or not its calls are recorded", async () => {
  const experiment = await begin("episodic", { metric_name: "rating" });
  const told = async () => {
    const { episode, variant } = await decide("episodic", {}, { "x-millrace-episode": "new" });
    for (let i = 0; i < 3; i++) {
      const again = await decide("episodic", {}, { "x-millrace-episode": episode! });
      assert.equal(again.variant, variant);
    }
    await judge({ episode_id: episode, metric_name: "rating", value: variant === "new" ? 5 : 3 });
    return variant;
  };
  const kept = await told();
  await record("none");
  const unkept = await told();
  await record("metadata");
  const counts = (await resultsOf(experiment.id)).arms.map(({ variant, exposures, outcomes, mean }) => {
    const expected = [kept, unkept].filter((one) => one === variant).length;
    assert.deepEqual([exposures, outcomes], [expected, expected]);
    if (expected) assert.equal(mean, variant === "new" ? 5 : 3);
    return outcomes;
  });
  assert.equal(counts[0]! + counts[1]!, 2);
});

test("a better variant is found, feedback that is corrected or comes late counts, and the winner becomes the incumbent", async () => {
  const experiment = await begin("better", { horizon: 200 });
  const calls: (Awaited<ReturnType<typeof decide>> & { i: number })[] = [];
  for (const [i, safety_identifier] of peopleIn(experiment, 101).entries()) {
    const call = { i, ...(await decide("better", { safety_identifier })) };
    await solve(call.id, drawn("solved", i) < (call.variant === "new" ? 0.9 : 0.3));
    calls.push(call);
  }
  const { arms: found, sample_ratio, effects_withheld, is_partial } = await resultsOf(experiment.id);
  const [control, arm] = found;
  assert.deepEqual([control!.is_control, control!.effect, effects_withheld, is_partial], [true, null, null, false]);
  assert.deepEqual([control!.exposures, arm!.exposures], [101, 101]);
  assert.equal(arm!.outcomes, arm!.exposures);
  assert.equal(sample_ratio.mismatch, false);
  assert.equal(arm!.effect!.verdict, "better");
  assert.ok(arm!.effect!.lower! > 0.2 && arm!.effect!.upper! < 1);
  assert.ok(arm!.guardrails.find(({ name }) => name === "latency_ms")!.mean !== null);

  const ended = await steer(experiment.id, "end", { winner: "new", reason: "60 points" });
  assert.deepEqual([ended.status, ended.winner, ended.end_reason], ["ended", "new", "60 points"]);
  assert.match(ended.ended_by!, /^key_/);
  const now = await client.get<MillraceFunction>("/functions/better");
  assert.deepEqual(
    [now.incumbent, now.previous_incumbent, now.experiment_id, now.incumbent_reason],
    ["new", "old", null, "60 points"],
  );
  for (let i = 0; i < 10; i++) assert.equal((await decide("better")).variant, "new");

  const solved = calls.find(({ variant, i }) => variant === "new" && drawn("solved", i) < 0.9)!;
  await solve(solved.id, false);
  const corrected = (await resultsOf(experiment.id)).arms[1]!;
  assert.equal(corrected.outcomes, arm!.outcomes);
  assert.ok(Math.abs(corrected.mean! - (arm!.mean! - 1 / arm!.outcomes)) < 1e-9);
});

test("a person's several answers are one outcome, their mean, and what was said before sharpens the reading", async () => {
  await functionNamed("repeated");
  const created_at = Math.floor(Date.now() / 1000) - 3600;
  const known = { function: "repeated", variant: "old", unit: unit("person", "regular").key, created_at };
  await solve((await addInference(deployment.stores, deployment.a, known)).id, true);
  const experiment = await begin("repeated");
  for (const value of [true, false, false, true]) {
    await solve((await decide("repeated", { safety_identifier: "regular" })).id, value);
  }
  const { arms: found } = await resultsOf(experiment.id);
  const told = found.filter(({ outcomes }) => outcomes > 0);
  assert.deepEqual(
    told.map(({ outcomes, mean }) => [outcomes, mean]),
    [[1, 0.5]],
  );
  const row = await deployment.stores.experiments.get(deployment.a.project.id, experiment.id);
  const { outcomes } = await readExperiment(deployment.stores, row!);
  assert.deepEqual(
    outcomes.map(({ value, before }) => [value, before]),
    [[0.5, 1]],
  );
});

test("a pause sends everybody to the incumbent without a trace, and a resume to where they were", async () => {
  const experiment = await begin("paused");
  const people = Array.from({ length: 24 }, (_, i) => ({ safety_identifier: `user ${i}` }));
  const all = async () => Promise.all(people.map(async (one) => (await decide("paused", one)).variant));
  const first = await all();
  assert.ok(first.includes("new"));
  assert.equal((await steer(experiment.id, "pause")).status, "paused");
  await decide("paused", { safety_identifier: "somebody else" });
  assert.deepEqual([...new Set(await all())], ["old"]);
  assert.equal((await exposuresOf(experiment)).length, 24);
  assert.equal((await steer(experiment.id, "pause")).status, "paused", "asked for again");
  assert.equal((await steer(experiment.id, "resume")).status, "running");
  assert.deepEqual(await all(), first);
});

test("a ramp takes in more, and those within stay", async () => {
  const experiment = await begin("ramped", { enrolled_share: 0.3 });
  const people = Array.from({ length: 40 }, (_, i) => ({ safety_identifier: `user ${i}` }));
  const all = async () => Promise.all(people.map(async (one) => (await decide("ramped", one)).variant));
  const first = await all();
  const within = await exposuresOf(experiment);
  assert.ok(within.length > 1 && within.length < 40, String(within.length));
  assert.equal((await steer(experiment.id, "ramp", { enrolled_share: 1 })).enrolled_share, 1);
  const second = await all();
  assert.ok(first.every((variant, i) => variant === "old" || second[i] === "new"));
  const exposures = await exposuresOf(experiment);
  assert.equal(exposures.length, 40);
  const arms = new Map(exposures.map(({ unit, arm }) => [unit, arm]));
  assert.ok(within.every(({ unit, arm }) => arms.get(unit) === arm));
});

test("a call that fails is an exposure and an error, a refusal is a refusal, and both are guarded", async () => {
  const experiment = await begin("guarded", { guardrails: [{ name: "errors", tolerance: 0.01 }] });
  const { classify } = host;
  host.classify = (model, texts, signal) =>
    model.id === "ft:new" ? Promise.reject(new Error("out of order")) : classify(model, texts, signal);
  const people = Array.from({ length: 20 }, (_, i) => decide("guarded", { safety_identifier: `u${i}`, input: "." }));
  const outcomes = await Promise.allSettled(people);
  host.classify = classify;
  const failed = outcomes.filter(({ status }) => status === "rejected").length;
  const [control, arm] = (await resultsOf(experiment.id)).arms;
  assert.deepEqual([arm!.exposures, control!.exposures], [failed, 20 - failed]);
  const meansOf = (one: typeof arm) => Object.fromEntries(one!.guardrails.map(({ name, mean }) => [name, mean]));
  assert.equal(meansOf(arm).errors, 1);
  assert.deepEqual([meansOf(control).errors, meansOf(control).refusals], [0, 1]);
});

test("lines of a batch and queued answers are assigned once and exposed, though nothing else is recorded", async () => {
  const experiment = await begin("batched");
  await record("none");
  const line = decisionLine("a", "fn:batched", "spam");
  const { create } = batchesOf(deployment);
  const batch = await create([line, { ...line, custom_id: "b" }]);
  await workOn(workerContext(deployment, host), "batch", { id: batch.id, project_id: deployment.a.project.id });
  await record("metadata");
  const exposures = await exposuresOf(experiment);
  assert.deepEqual(
    exposures.map(({ unit_kind, is_error }) => [unit_kind, is_error]),
    [
      ["inference", false],
      ["inference", false],
    ],
  );
  assert.equal((await client.get<{ data: unknown[] }>("/inferences?function=batched")).data.length, 0);
});

test("a queued answer keeps the arm that it was asked with, whatever the experiment does meanwhile", async () => {
  const heavy = await deploy({ heavyBytes: 1, answerWaitSeconds: 0 });
  try {
    const { digest, files } = await addBase(heavy.stores, "tiny-bert", { "config.json": "{}" });
    const content = { base_model: "tiny-bert", base: { digest, files } };
    for (const id of ["ft:old", "ft:new"]) await addModel(heavy.stores, heavy.a, { id, ...content });
    const sdk = heavy.client();
    await sdk.post("/metrics", { body: { name: "solved", type: "boolean", level: "inference", optimize: "max" } });
    await sdk.post("/functions", { body: { name: "slow", variants } });
    const asked = { function: "slow", method: { type: "fixed" }, metric_name: "solved", arms };
    const experiment = await sdk.post<Experiment>("/experiments", { body: asked });
    const project_id = heavy.a.project.id;
    const queue = async (safety_identifier: string) => {
      const request = { model: "fn:slow", input: "ham", questions, safety_identifier };
      const { data, response } = await sdk.decisions.create(request).withResponse();
      assert.equal(response.status, 202);
      return { task: data as unknown as { id: string }, variant: response.headers.get("x-millrace-variant") };
    };
    const queued = await Promise.all(peopleIn(experiment, 3).map(queue));
    await sdk.post(`/experiments/${experiment.id}/pause`);
    for (const { task, variant } of queued) {
      await workOn(workerContext(heavy, host), "answer", { id: task.id, project_id });
      const found = await sdk.get<{ response: { body: { model: string } } }>(`/answers/${task.id}`);
      assert.equal(found.response.body.model, `ft:${variant}`);
    }
    const exposures = await Array.fromAsync(heavy.stores.exposures.stream(project_id, experiment.id));
    assert.deepEqual(exposures.map(({ arm }) => arm).sort(), [0, 0, 0, 1, 1, 1]);
    assert.deepEqual(queued.map(({ variant }) => variant).sort(), ["new", "new", "new", "old", "old", "old"]);
  } finally {
    await heavy.close();
  }
});

test("an experiment holds its function, its variants and its control until it ends", async () => {
  const experiment = await begin("held");
  const update = (body: object) => client.post("/functions/held", { body });
  await assert.rejects(begin("held"), { status: 409, param: "function" });
  await assert.rejects(client.delete("/functions/held"), { status: 409 });
  await assert.rejects(update({ incumbent: "new" }), { status: 409, param: "incumbent" });
  await assert.rejects(update({ variants: variants.slice(0, 1) }), { status: 409, param: "variants" });
  await update({ variants: [...variants, { name: "newer", model: "ft:new" }] });
  await assert.rejects(steer(experiment.id, "end", { winner: "newer" }), { status: 400, param: "winner" });
  await steer(experiment.id, "end", {});
  assert.equal((await client.get<MillraceFunction>("/functions/held")).incumbent, "old");
  for (const step of ["pause", "resume", "end"]) {
    await assert.rejects(steer(experiment.id, step, step === "end" ? {} : undefined), { status: 409 }, step);
  }
  await assert.rejects(steer(experiment.id, "ramp", { enrolled_share: 0.5 }), { status: 409 });
  await update({ variants });
  const again = await begin("held");
  const { data } = await client.get<{ data: Experiment[] }>("/experiments?function=held");
  assert.deepEqual(
    data.map(({ id, status }) => [id, status]),
    [
      [again.id, "running"],
      [experiment.id, "ended"],
    ],
  );
});

test("what cannot be compared is refused by name", async () => {
  const adaptive = { type: "adaptive" as const };
  const cases: [object, { status: number; param: string }][] = [
    [{ function: "none" }, { status: 404, param: "function" }],
    [{ metric_name: "none" }, { status: 404, param: "metric_name" }],
    [{ metric_name: "comment" }, { status: 404, param: "metric_name" }],
    [{ arms: arms.slice(0, 1) }, { status: 400, param: "arms" }],
    [{ arms: [arms[0], { variant: "red" }] }, { status: 400, param: "arms[1].variant" }],
    [{ arms: [arms[0], arms[0]] }, { status: 400, param: "arms[1].variant" }],
    [{ arms: [{ variant: "old", share: 0.5 }, { variant: "new" }] }, { status: 400, param: "arms" }],
    [{ arms: arms.map((arm) => ({ ...arm, share: 0.6 })) }, { status: 400, param: "arms" }],
    [{ arms: arms.map((arm, i) => ({ ...arm, share: i })) }, { status: 400, param: "arms[0].share" }],
    [
      { method: adaptive, arms: arms.map((arm) => ({ ...arm, share: 0.5 })) },
      { status: 400, param: "arms" },
    ],
    [
      { method: adaptive, metric_name: "rating" },
      { status: 400, param: "method.range" },
    ],
    [{ method: { ...adaptive, range: [1, 0] } }, { status: 400, param: "method.range" }],
    [{ method: { type: "bandit" } }, { status: 400, param: "method.type" }],
    [{ method: { type: "fixed", certainty: 0.9 } }, { status: 400, param: "method.certainty" }],
    [{ enrolled_share: 1.5 }, { status: 400, param: "enrolled_share" }],
    [{ horizon: 10 }, { status: 400, param: "horizon" }],
    [{ guardrails: [{ name: "cost", tolerance: 1 }] }, { status: 400, param: "guardrails[0].name" }],
    [
      { guardrails: [1, 2].map((tolerance) => ({ name: "errors", tolerance })) },
      { status: 400, param: "guardrails[1].name" },
    ],
  ];
  for (const [changes, refusal] of cases) await assert.rejects(begin("refused", changes), refusal);
  await client.post("/functions/refused", { body: { variants: [...variants, { name: "newer", model: "ft:new" }] } });
  const others = [{ variant: "new" }, { variant: "newer" }];
  const asked = { function: "refused", method: { type: "fixed" }, metric_name: "solved", arms: others };
  await assert.rejects(client.post("/experiments", { body: asked }), { status: 400, param: "arms" });
  await assert.rejects(client.get("/experiments/exp_nothing"), { status: 404 });
  assert.equal((await client.get<MillraceFunction>("/functions/refused")).experiment_id, null);
});
