/** One project never sees, touches or counts what another has. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import type { FineTuningJob } from "../../shared/schemas/fineTuningJob.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";
import { type Deployment, deploy, type Tenant } from "../support/deployment.ts";
import { asking, contentOf, rightLabel } from "../support/evals.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addCheckpoint, addModel, buildVersion } from "../support/records.ts";

interface Belongings {
  client: OpenAI;
  file: string;
  job: FineTuningJob;
  model: ModelRecord;
  completion: string;
  episode: string;
  eval: string;
  run: string;
}

let deployment: Deployment;
let a: Belongings;
let b: Belongings;
/** A's. */
let experiment: string;

const metricOf = ({ project }: Tenant) => {
  return { name: `of_${project.organization_name}`, type: "boolean", level: "inference", optimize: "max" };
};

async function furnish(tenant: Tenant): Promise<Belongings> {
  const client = deployment.client({ apiKey: tenant.key });
  const file = await client.files.create({ file: await toFile(Buffer.from("{}\n"), "a.jsonl"), purpose: "fine-tune" });
  const job = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file.id });
  await addCheckpoint(deployment.stores, tenant, job.id, 1);
  const model = await addModel(deployment.stores, tenant);
  const messages = [{ role: "user" as const, content: "so be it" }];
  const headers = { "x-millrace-episode": "new" };
  const asked = client.chat.completions.create({ model: model.id, messages, store: true }, { headers });
  const { data, response } = await asked.withResponse();
  const [completion, episode] = [data.id, response.headers.get("x-millrace-episode")!];
  await client.post("/metrics", { body: metricOf(tenant) });
  await client.post("/feedback", {
    body: { inference_id: completion, metric_name: metricOf(tenant).name, value: true },
  });
  const made = await client.evals.create({
    data_source_config: { type: "custom", item_schema: {} },
    testing_criteria: [rightLabel],
  });
  const source = contentOf([{ text: "x" }]);
  const run = await client.evals.runs.create(made.id, { data_source: { type: "jsonl", source } });
  const evals = { eval: made.id, run: run.id };
  return { ...evals, client, file: file.id, job: job as unknown as FineTuningJob, model, completion, episode };
}

const policy = {
  recipe: { dataset: "mine", sources: [{ type: "inferences", function: "mine" }] },
  test_set: { dataset: "mine", version: 1 },
  training: { model: "millrace-ngram" },
};
let promotion: string;

before(async () => {
  deployment = await deploy({ host: fakeHost(), moderationModel: "ft:assigned" });
  await addModel(deployment.stores, deployment.a, { id: "ft:assigned" });
  a = await furnish(deployment.a);
  b = await furnish(deployment.b);
  await buildVersion(deployment.stores, deployment.a, "mine");
  const variants = [{ name: "first", model: a.model.id }];
  variants.push({ name: "second", model: "millrace-ngram" });
  await a.client.post("/functions", { body: { name: "mine", variants } });
  const arms = variants.map(({ name: variant }) => ({ variant }));
  const asked = { function: "mine", method: { type: "fixed" }, metric_name: metricOf(deployment.a).name, arms };
  experiment = (await a.client.post<{ id: string }>("/experiments", { body: asked })).id;
  await a.client.put("/functions/mine/policy", { body: policy });
  promotion = (await a.client.post<{ id: string }>("/functions/mine/turn")).id;
  await a.client.post("/aliases", { body: { name: "mine", model: "millrace-ngram" } });
});
after(() => deployment.close());

/** Of a stranger's client, each about what is another's. */
function callsFor(theirs: Belongings, client: OpenAI): Record<string, () => PromiseLike<unknown>> {
  const jobs = client.fineTuning.jobs;
  const question = { type: "predicate", instructions: "ham" } as const;
  return {
    "file retrieve": () => client.files.retrieve(theirs.file),
    "file content": () => client.files.content(theirs.file),
    "file delete": () => client.files.delete(theirs.file),
    "job retrieve": () => jobs.retrieve(theirs.job.id),
    "job cancel": () => jobs.cancel(theirs.job.id),
    "job pause": () => jobs.pause(theirs.job.id),
    "job resume": () => jobs.resume(theirs.job.id),
    "job events": () => jobs.listEvents(theirs.job.id),
    "job checkpoints": () => jobs.checkpoints.list(theirs.job.id),
    "model retrieve": () => client.models.retrieve(theirs.model.id),
    "model delete": () => client.models.delete(theirs.model.id),
    decision: () => client.decisions.create({ model: theirs.model.id, input: "x", questions: [question] }),
    "dataset versions": () => client.get("/datasets/mine/versions"),
    "dataset version": () => client.get("/datasets/mine/versions/1"),
    "dataset content": () => client.get("/datasets/mine/versions/1/content"),
    "dataset diff": () => client.get("/datasets/mine/versions/1/diff"),
    "alias retrieve": () => client.get("/aliases/mine"),
    "alias move": () => client.post("/aliases/mine", { body: { model: "millrace-ngram" } }),
    "alias moves": () => client.get("/aliases/mine/moves"),
    "alias delete": () => client.delete("/aliases/mine"),
    "alias called": () => client.decisions.create({ model: "alias:mine", input: "x", questions: [question] }),
    "policy retrieve": () => client.get("/functions/mine/policy"),
    "policy put": () => client.put("/functions/mine/policy", { body: policy }),
    "promotion turn": () => client.post("/functions/mine/turn"),
    "promotion list": () => client.get("/functions/mine/promotions"),
    "promotion retrieve": () => client.get(`/functions/mine/promotions/${promotion}`),
    "promotion hold": () => client.post(`/functions/mine/promotions/${promotion}/hold`),
    "promotion revert": () => client.post(`/functions/mine/promotions/${promotion}/revert`),
    "function retrieve": () => client.get("/functions/mine"),
    "function update": () => client.post("/functions/mine", { body: { description: "theirs" } }),
    "function delete": () => client.delete("/functions/mine"),
    "function called": () => client.decisions.create({ model: "fn:mine", input: "x", questions: [question] }),
    "experiment retrieve": () => client.get(`/experiments/${experiment}`),
    "experiment results": () => client.get(`/experiments/${experiment}/results`),
    "experiment pause": () => client.post(`/experiments/${experiment}/pause`),
    "experiment resume": () => client.post(`/experiments/${experiment}/resume`),
    "experiment ramp": () => client.post(`/experiments/${experiment}/ramp`, { body: { enrolled_share: 0 } }),
    "experiment end": () => client.post(`/experiments/${experiment}/end`, { body: {} }),
    "function of a stranger's model": () =>
      client.post("/functions", { body: { name: "theirs", variants: [{ name: "a", model: theirs.model.id }] } }),
    "alias of a stranger's model": () => client.post("/aliases", { body: { name: "theirs", model: theirs.model.id } }),
    embedding: () => client.embeddings.create({ model: theirs.model.id, input: "x" }),
    moderation: () => client.moderations.create({ model: theirs.model.id, input: "x" }),
    completion: () =>
      client.chat.completions.create({ model: theirs.model.id, messages: [{ role: "user", content: "x" }] }),
    "stored completion": () => client.chat.completions.retrieve(theirs.completion),
    "stored completion's labels": () => client.chat.completions.update(theirs.completion, { metadata: {} }),
    "stored completion's messages": () => client.chat.completions.messages.list(theirs.completion),
    "stored completion's end": () => client.chat.completions.delete(theirs.completion),
    "assigned moderation": () => client.moderations.create({ input: "x" }),
  };
}

/** The same, about what was recorded and judged. */
function judgingCallsFor(theirs: Belongings, { client, model, completion }: Belongings) {
  const metric = metricOf(deployment.a).name;
  const say = (body: object, headers = {}) => {
    const messages = [{ role: "user" as const, content: "x" }];
    return client.chat.completions.create({ model: model.id, messages, ...body }, { headers });
  };
  const judge = (body: object) => client.post("/feedback", { body: { metric_name: "comment", value: "x", ...body } });
  return {
    inference: () => client.get(`/inferences/${theirs.completion}`),
    "inference's end": () => client.delete(`/inferences/${theirs.completion}`),
    metric: () => client.get(`/metrics/${metric}`),
    "metric's end": () => client.delete(`/metrics/${metric}`),
    "feedback on an inference": () => judge({ inference_id: theirs.completion }),
    "feedback on an episode": () => judge({ episode_id: theirs.episode }),
    "feedback on a metric": () => judge({ inference_id: completion, metric_name: metric, value: true }),
    episode: () => say({}, { "x-millrace-episode": theirs.episode }),
    "episode in metadata": () => say({ metadata: { episode_id: theirs.episode } }),
  };
}

/** The same, about webhooks. */
function webhookCallsFor(endpoint: string, { client }: Belongings) {
  const { webhooks } = client;
  return {
    webhook: () => webhooks.retrieve(endpoint),
    "webhook's change": () => webhooks.update(endpoint, { name: "theirs" }),
    "webhook's secret": () => webhooks.rotateSecret(endpoint),
    "webhook's test": () => webhooks.test(endpoint, { event_type: "batch.failed" }),
    "webhook's deliveries": () => client.get(`/webhook_endpoints/${endpoint}/deliveries`),
    "webhook's end": () => webhooks.delete(endpoint),
  };
}

/** The same, about evals. */
function evalCallsFor(theirs: Belongings, { client, eval: own }: Belongings) {
  const { runs } = client.evals;
  const named = { eval_id: theirs.eval };
  const data_source = { type: "jsonl" as const, source: contentOf([{ text: "x" }]) };
  const ask = (model: string) => runs.create(own, { data_source: asking(model, [{ text: "x" }]) });
  return {
    eval: () => client.evals.retrieve(theirs.eval),
    "eval's name": () => client.evals.update(theirs.eval, { name: "mine" }),
    "eval's comparison": () => client.get(`/evals/${theirs.eval}/compare`),
    "eval's runs": () => runs.list(theirs.eval),
    "eval's new run": () => runs.create(theirs.eval, { data_source }),
    run: () => runs.retrieve(theirs.run, named),
    "run of one's own eval": () => runs.retrieve(theirs.run, { eval_id: own }),
    "run's cancellation": () => runs.cancel(theirs.run, named),
    "run's items": () => runs.outputItems.list(theirs.run, named),
    "run's end": () => runs.delete(theirs.run, named),
    "run of a stranger's model": () => ask(theirs.model.id),
    "run of a stranger's alias": () => ask("alias:mine"),
    "eval's end": () => client.evals.delete(theirs.eval),
  };
}

test("everything of another project is 404, as if it were not there", async () => {
  const hook = { name: "a's", url: deployment.origin, event_types: ["batch.failed" as const] };
  const endpoint = (await a.client.webhooks.create(hook)).id;
  const webhookCalls = webhookCallsFor(endpoint, b);
  const calls = { ...callsFor(a, b.client), ...judgingCallsFor(a, b), ...evalCallsFor(a, b), ...webhookCalls };
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(Promise.resolve().then(call), OpenAI.NotFoundError, name);
  }
  assert.equal((await a.client.files.retrieve(a.file)).id, a.file);
  assert.equal((await a.client.fineTuning.jobs.retrieve(a.job.id)).status, "validating_files");
  assert.equal((await a.client.get<{ status: string }>(`/experiments/${experiment}`)).status, "running");
  assert.equal((await a.client.webhooks.retrieve(endpoint)).name, "a's");
  assert.deepEqual((await b.client.webhooks.list()).data, []);
  assert.equal((await a.client.get<{ description: string | null }>("/functions/mine")).description, null);
  assert.equal((await a.client.models.retrieve(a.model.id)).id, a.model.id);
  assert.equal((await a.client.evals.runs.retrieve(a.run, { eval_id: a.eval })).status, "queued");
  assert.ok(await deployment.stores.objects.get(a.model.object_key));
  assert.equal((await a.client.chat.completions.retrieve(a.completion)).id, a.completion);
});

test("another project's file and model are no material for a job", async () => {
  const create = (body: { model: string; training_file: string }) => b.client.fineTuning.jobs.create(body);
  await assert.rejects(create({ model: "millrace-ngram", training_file: a.file }), { param: "training_file" });
  await assert.rejects(create({ model: a.model.id, training_file: b.file }), { status: 404, param: "model" });
});

test("lists hold one's own and nothing else, also behind another's id", async () => {
  const idsOf = (page: { data: { id: string }[] }) => page.data.map(({ id }) => id);
  for (const [own, other] of [
    [a, b],
    [b, a],
  ] as const) {
    assert.deepEqual(idsOf(await own.client.files.list()), [own.file]);
    assert.deepEqual(idsOf(await own.client.fineTuning.jobs.list()), [own.job.id]);
    assert.deepEqual(idsOf(await own.client.chat.completions.list()), [own.completion]);
    assert.deepEqual(idsOf(await own.client.evals.list()), [own.eval]);
    const listed = async (path: string) => idsOf((await own.client.get(path)) as { data: { id: string }[] });
    assert.deepEqual(
      (await listed("/inferences")).map((id) => id.slice(-26)),
      [own.completion.slice(-26)],
    );
    assert.deepEqual(await listed(`/inferences?episode_id=${other.episode}`), []);
    assert.equal((await listed("/metrics")).length, 1);
    assert.equal((await listed("/feedback")).length, 1);
    assert.deepEqual(await listed(`/feedback?inference_id=${other.completion}`), []);
    const models = idsOf(await own.client.models.list());
    assert.ok(models.includes(own.model.id) && !models.includes(other.model.id));
    const behind = await own.client.files.list({ after: other.file });
    assert.ok(!idsOf(behind).includes(other.file));
  }
});

test("an Idempotency-Key of one project means nothing in another", async () => {
  const create = ({ client, file }: Belongings) =>
    client.fineTuning.jobs.create(
      { model: "millrace-ngram", training_file: file },
      { headers: { "Idempotency-Key": "shared" } },
    );
  const [first, second] = [await create(a), await create(b)];
  assert.notEqual(first.id, second.id);
});
