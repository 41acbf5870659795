/** An imported base is every project's at once: listed, retrieved, tuned, and not theirs to delete. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import { lookUpBase } from "../../../shared/baseModels.ts";
import type { BaseRecord } from "../../../shared/schemas/base.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { addModel } from "../../support/records.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";

let deployment: Deployment;
let base: BaseRecord;
let clients: OpenAI[];
before(async () => {
  deployment = await deploy();
  base = await addBase(deployment.stores, "tiny-bert_v1.5", { "config.json": "{}" });
  clients = [deployment.client(), deployment.client({ apiKey: deployment.b.key })];
});
after(() => deployment.close());

test("it stands in every project's list, behind what comes with Millrace and before the project's own", async () => {
  const own = await addModel(deployment.stores, deployment.a);
  const ids = async (client: OpenAI) => (await client.models.list()).data.map(({ id }) => id);
  assert.deepEqual(await ids(clients[0]!), [
    "millrace-ngram",
    "millrace-encoder-tiny",
    "millrace-tabular",
    "millrace-auto",
    base.id,
    own.id,
  ]);
  const ours = ["millrace-ngram", "millrace-encoder-tiny", "millrace-tabular", "millrace-auto"];
  assert.deepEqual(await ids(clients[1]!), [...ours, base.id]);
});

test("it is retrieved as a model, without what only the deployment is to know", async () => {
  for (const client of clients) {
    const model = await client.models.retrieve(base.id);
    assert.deepEqual({ ...model }, { id: base.id, object: "model", created: base.created, owned_by: "millrace" });
  }
});

test("no project may delete it", async () => {
  await assert.rejects(clients[0]!.models.delete(base.id), OpenAI.PermissionDeniedError);
  assert.deepEqual(await deployment.stores.bases.get(base.id), base);
});

test("a job may be asked for on it, until it is removed", async () => {
  const client = clients[0]!;
  const training_file = (
    await client.files.create({
      file: await toFile(Buffer.from('{"text":"a","label":"b"}\n'), "train.jsonl"),
      purpose: "fine-tune",
    })
  ).id;
  const create = (model: string) => client.fineTuning.jobs.create({ model, training_file });
  assert.equal((await create(base.id)).model, base.id);
  assert.equal((await lookUpBase(deployment.stores.bases, base.id))?.architecture, "pretrained");
  for (const id of ["tiny-bert", "TINY-BERT_V1.5", "../tiny", "x".repeat(400)]) {
    await assert.rejects(create(id), OpenAI.NotFoundError);
  }
  assert.equal(await deployment.stores.bases.delete(base.id), true);
  await assert.rejects(create(base.id), OpenAI.NotFoundError);
  await assert.rejects(client.models.retrieve(base.id), OpenAI.NotFoundError);
});
