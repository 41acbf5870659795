/** One project never sees, touches or counts what another has. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import type { FineTuningJob } from "../../shared/schemas/fineTuningJob.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";
import { type Deployment, deploy, type Tenant } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addCheckpoint, addModel } from "../support/records.ts";

interface Belongings {
  client: OpenAI;
  file: string;
  job: FineTuningJob;
  model: ModelRecord;
  completion: string;
}

let deployment: Deployment;
let a: Belongings;
let b: Belongings;

async function furnish(tenant: Tenant): Promise<Belongings> {
  const client = deployment.client({ apiKey: tenant.key });
  const file = await client.files.create({ file: await toFile(Buffer.from("{}\n"), "a.jsonl"), purpose: "fine-tune" });
  const job = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file.id });
  await addCheckpoint(deployment.stores, tenant, job.id, 1);
  const model = await addModel(deployment.stores, tenant);
  const messages = [{ role: "user" as const, content: "so be it" }];
  const { id: completion } = await client.chat.completions.create({ model: model.id, messages, store: true });
  return { client, file: file.id, job: job as unknown as FineTuningJob, model, completion };
}

before(async () => {
  deployment = await deploy({ host: fakeHost(), moderationModel: "ft:assigned" });
  await addModel(deployment.stores, deployment.a, { id: "ft:assigned" });
  a = await furnish(deployment.a);
  b = await furnish(deployment.b);
  await a.client.post("/aliases", { body: { name: "mine", model: "millrace-ngram" } });
});
after(() => deployment.close());

test("everything of another project is 404, as if it were not there", async () => {
  const { client } = b;
  const jobs = client.fineTuning.jobs;
  const question = { type: "predicate", instructions: "ham" } as const;
  const calls: Record<string, () => PromiseLike<unknown>> = {
    "file retrieve": () => client.files.retrieve(a.file),
    "file content": () => client.files.content(a.file),
    "file delete": () => client.files.delete(a.file),
    "job retrieve": () => jobs.retrieve(a.job.id),
    "job cancel": () => jobs.cancel(a.job.id),
    "job pause": () => jobs.pause(a.job.id),
    "job resume": () => jobs.resume(a.job.id),
    "job events": () => jobs.listEvents(a.job.id),
    "job checkpoints": () => jobs.checkpoints.list(a.job.id),
    "model retrieve": () => client.models.retrieve(a.model.id),
    "model delete": () => client.models.delete(a.model.id),
    decision: () => client.decisions.create({ model: a.model.id, input: "x", questions: [question] }),
    "alias retrieve": () => client.get("/aliases/mine"),
    "alias move": () => client.post("/aliases/mine", { body: { model: "millrace-ngram" } }),
    "alias moves": () => client.get("/aliases/mine/moves"),
    "alias delete": () => client.delete("/aliases/mine"),
    "alias called": () => client.decisions.create({ model: "alias:mine", input: "x", questions: [question] }),
    "alias of a stranger's model": () => client.post("/aliases", { body: { name: "theirs", model: a.model.id } }),
    embedding: () => client.embeddings.create({ model: a.model.id, input: "x" }),
    moderation: () => client.moderations.create({ model: a.model.id, input: "x" }),
    completion: () => client.chat.completions.create({ model: a.model.id, messages: [{ role: "user", content: "x" }] }),
    "stored completion": () => client.chat.completions.retrieve(a.completion),
    "stored completion's labels": () => client.chat.completions.update(a.completion, { metadata: {} }),
    "stored completion's messages": () => client.chat.completions.messages.list(a.completion),
    "stored completion's end": () => client.chat.completions.delete(a.completion),
    "assigned moderation": () => client.moderations.create({ input: "x" }),
  };
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(Promise.resolve().then(call), OpenAI.NotFoundError, name);
  }
  assert.equal((await a.client.files.retrieve(a.file)).id, a.file);
  assert.equal((await a.client.fineTuning.jobs.retrieve(a.job.id)).status, "validating_files");
  assert.equal((await a.client.models.retrieve(a.model.id)).id, a.model.id);
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
