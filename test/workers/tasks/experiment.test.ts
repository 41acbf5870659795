/** A worker looks at experiments whose shares learn, again and again, as long as they run. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newId } from "../../../shared/ids.ts";
import type { Experiment } from "../../../shared/schemas/experiment.ts";
import type { MillraceFunction } from "../../../shared/schemas/function.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { drawn } from "../../support/experiments.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addInference } from "../../support/records.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

let deployment: Deployment;
let experiment: Experiment;
const project_id = () => deployment.a.project.id;

before(async () => {
  deployment = await deploy();
  const client = deployment.client();
  await client.post("/metrics", { body: { name: "solved", type: "boolean", level: "inference", optimize: "max" } });
  const variants = ["old", "new"].map((name) => ({ name, model: "millrace-ngram" }));
  await client.post("/functions", { body: { name: "learns", variants } });
  const method = { type: "adaptive", least_outcomes: 30, promote_winner: true };
  const arms = variants.map(({ name: variant }) => ({ variant }));
  experiment = await client.post("/experiments", { body: { function: "learns", method, metric_name: "solved", arms } });
});
after(() => deployment.close());

/** Alternating between arms; of each, so many of a hundred are solved. */
async function simulate(units: number, from: number, solved: readonly number[]): Promise<void> {
  const { stores, a } = deployment;
  for (let i = from; i < from + units; i++) {
    const [unit, arm] = [`unit ${String(i).padStart(4, "0")}`, i % 2];
    const of = { function: "learns", variant: experiment.arms[arm]!.variant, experiment_id: experiment.id, unit };
    const { id, created_at } = await addInference(stores, a, { id: newId("request"), ...of });
    const call = { inference_id: id, episode_id: null, latency_ms: 1, is_error: false, is_refusal: false };
    const assigned = { experiment_id: experiment.id, unit, unit_kind: "person" as const, arm, stage: 0 };
    await stores.exposures.log({ project_id: project_id(), ...assigned, ...call, created_at, expires_at: null });
    const value = 100 * drawn("solved", i) < solved[arm]!;
    const given = { project_id: project_id(), level: "inference" as const, target: id, metric_name: "solved", value };
    await stores.feedback.give(given);
  }
}
const work = () =>
  workOn(workerContext(deployment, fakeHost()), "experiment", { id: experiment.id, project_id: project_id() });
const row = async () => (await deployment.stores.experiments.get(project_id(), experiment.id))!;
const overdue = async (seconds: number) =>
  (await deployment.stores.experiments.overdue(Date.now() + seconds * 1000, 10)).map(({ id }) => id);

test("a running one is looked at once a minute; its shares follow feedback, and the winner serves in the end", async () => {
  assert.deepEqual([await overdue(0), await overdue(61)], [[], [experiment.id]]);
  await work();
  assert.equal((await row()).stages.length, 1);
  assert.deepEqual(await overdue(61), [experiment.id], "looked at again");
  await simulate(44, 0, [30, 45]);
  await work();
  const learned = await row();
  assert.equal(learned.stages.length, 2);
  assert.ok(learned.arms[1]!.share !== 0.5 && learned.arms[0]!.share >= 0.1);
  await simulate(24, 44, [5, 95]);
  await work();
  const { status, winner, ended_by } = await row();
  assert.deepEqual([status, winner, ended_by], ["ended", "new", "millrace"]);
  assert.deepEqual(await overdue(3600), []);
  const called = await deployment.client().get<MillraceFunction>("/functions/learns");
  assert.deepEqual([called.incumbent, called.incumbent_set_by, called.experiment_id], ["new", "millrace", null]);
});
