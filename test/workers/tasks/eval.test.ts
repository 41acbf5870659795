/** Eval runs that are interrupted: put down and taken up again, cancelled under way, or met by what goes wrong on our side. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiError } from "../../../shared/errors.ts";
import type { ModelHost } from "../../../shared/serving/host.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { asking, evalsOf, rightLabel } from "../../support/evals.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { until } from "../../support/until.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy();
  model = (await addModel(deployment.stores, deployment.a)).id;
});
after(() => deployment.close());

const items = Array.from({ length: 80 }, (_, i) => ({
  text: `${i} ${i % 2 ? "spam" : "ham"}`,
  label: "ham",
  number: i,
}));

/** Of items from `held` on it says nothing until it is told to stop. */
function stallingHost(held: number): ModelHost {
  const host = fakeHost();
  return {
    ...host,
    async classify(record, texts, signal) {
      if (Number.parseInt(texts[0]!, 10) < held) return host.classify(record, texts, signal);
      return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
    },
  };
}

async function begin() {
  const { client, make } = evalsOf(deployment, fakeHost());
  const { id: eval_id } = await make([rightLabel], { data_source_config: { type: "custom", item_schema: {} } });
  const run = await client.evals.runs.create(eval_id, { data_source: asking(model, items) });
  const name = { id: run.id, project_id: deployment.a.project.id };
  const row = async () => (await deployment.stores.evalRuns.get(name.project_id, name.id))!;
  const work = (host: ModelHost, shutdown?: AbortSignal) =>
    workOn(workerContext(deployment, host), "eval_run", name, shutdown);
  const outputs = () => deployment.stores.evalRuns.items(name, { limit: 1000 });
  return { client, eval_id, run, row, work, outputs };
}

test("a worker that must go hands the run back, and the next one goes on behind what counts", async () => {
  const { row, work, outputs } = await begin();
  const leaving = new AbortController();
  const host = stallingHost(40);
  const working = work(host, leaving.signal);
  await until(async () => (await row()).next_item > 0, { what: "a part to count" });
  leaving.abort();
  assert.deepEqual(await working, { type: "retry", seconds: 0 });
  const left = await row();
  assert.deepEqual([left.status, left.lease, left.failures], ["in_progress", null, 0]);
  assert.equal((await outputs()).length, left.next_item);

  const second = fakeHost();
  assert.deepEqual(await work(second), { type: "done" });
  assert.equal(second.asked.length, items.length - left.next_item, "nothing that counts is asked again");
  const done = await row();
  assert.deepEqual([done.status, done.result_counts], ["completed", { total: 80, passed: 40, failed: 40, errored: 0 }]);
  assert.deepEqual(
    (await outputs()).map(({ datasource_item }) => datasource_item.number),
    items.map(({ number }) => number),
  );
});

test("a cancelled run is let go while its model still thinks, with what was done by then", async () => {
  const { client, eval_id, run, row, work, outputs } = await begin();
  const working = work(stallingHost(40));
  await until(async () => (await row()).next_item > 0, { what: "a part to count" });
  const cancelled = await client.evals.runs.cancel(run.id, { eval_id });
  assert.deepEqual(await working, { type: "done" });
  const after = await client.evals.runs.retrieve(run.id, { eval_id });
  assert.deepEqual([after.status, after.result_counts], ["canceled", cancelled.result_counts]);
  assert.equal((await outputs()).length, after.result_counts.total);
});

test("a model that fails is told of in each item, once it was asked patiently", async () => {
  const { row, work, outputs } = await begin();
  let asked = 0;
  const failing: ModelHost = {
    ...fakeHost(),
    async classify() {
      asked++;
      throw new ApiError("context_length_exceeded", "It is too long.", { param: "input" });
    },
  };
  assert.deepEqual(await work(failing), { type: "done" });
  const { status, result_counts, per_testing_criteria_results: results } = await row();
  assert.deepEqual([status, result_counts.errored, results[0]!.errored, asked], ["completed", 80, 80, 80]);
  const [first] = await outputs();
  assert.deepEqual(first!.sample.error, { code: "context_length_exceeded", message: "It is too long." });
  assert.deepEqual([first!.status, first!.results], ["error", []]);
});

test("a run that cannot be worked on fails after so many attempts, and says so", async () => {
  const { row, work } = await begin();
  const broken = { ...workerContext(deployment, fakeHost()) };
  const objects = {
    ...broken.stores.objects,
    download: async () => {
      throw new Error("the bucket is away");
    },
  };
  broken.stores = { ...broken.stores, objects };
  const name = { id: (await row()).id, project_id: deployment.a.project.id };
  const outcomes = [];
  for (let i = 0; i < broken.config.maxAttempts; i++) outcomes.push((await workOn(broken, "eval_run", name)).type);
  assert.deepEqual(outcomes, [...Array(broken.config.maxAttempts - 1).fill("retry"), "buried"]);
  const { status, error } = await row();
  assert.equal(status, "failed");
  assert.match(error!.message, /Gave up after \d+ attempts: the bucket is away/);
  assert.deepEqual(await work(fakeHost()), { type: "done" });
});
