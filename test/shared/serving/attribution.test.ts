/** Explanations from the model host: bounded in number, ended when nobody waits, and of nobody else's model. */
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importBase } from "../../../infra/models/importBase.ts";
import { train } from "../../../shared/engine/training/train.ts";
import { BaseContent } from "../../../shared/schemas/baseContent.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { createModelHost, type ModelHost } from "../../../shared/serving/host.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { type Cloud, createTenant, openCloud } from "../../support/deployment.ts";
import { addModel } from "../../support/records.ts";
import { writeTinyBase } from "../../support/tinyBase.ts";
import { jsonl, rowsOf } from "../../support/trainingData.ts";

const rows = rowsOf(12);
const labels = ["billing", "delivery", "account"];
let cloud: Cloud;
let host: ModelHost;
let model: ModelRecord;
before(async () => {
  cloud = await openCloud();
  host = createModelHost(cloud.stores.objects, { threads: 1 });
  model = await tunedModel();
});
after(async () => {
  await host.close();
  await cloud.close();
});

/** Over an imported base: an adapter and a head of a few steps. */
async function tunedModel(): Promise<ModelRecord> {
  const directory = await mkdtemp(join(cloud.home, "base-"));
  await writeTinyBase(
    directory,
    rows.map(({ text }) => text),
  );
  const files = ["config.json", "vocab.txt", "model.safetensors"];
  const { record } = await importBase(cloud.stores, { id: "tiny", directory, files, replace: false });
  const trainFile = join(cloud.home, "rows.jsonl");
  await writeFile(trainFile, jsonl(rows.map(({ text, label }) => ({ text, label: labels.indexOf(label) }))));
  const events = train(
    {
      ...{ architecture: "pretrained", base: { directory, digest: record.digest }, trainFile, validFile: trainFile },
      ...{ labels, refit: false, hyperparameters: { n_epochs: 4, batch_size: 8 }, seed: 1, threads: 1 },
      ...{ directory: cloud.home, checkpoint: null, checkpointSteps: 0, checkpointSeconds: 1e9 },
    },
    new AbortController().signal,
  );
  for await (const _ of events);
  const tenant = await createTenant(cloud.stores, "acme");
  const object_key = objectKeys.model(tenant.project.id, "ftjob-1", "attempt-1");
  const stored = await cloud.stores.objects.putFile(object_key, join(cloud.home, "model.safetensors"));
  return addModel(cloud.stores, tenant, { object_key, ...stored, base: BaseContent.parse(record) });
}

test("an imported base's model is explained by whole words where they stand, special tokens left out", async () => {
  const text = "Question 4: My Courier is missing unheard of";
  const [explained] = await host.attribute(model, text, ["delivery"]);
  const { parts, logit, baselineLogit } = explained!;
  assert.ok("tokens" in parts);
  assert.deepEqual(
    parts.tokens.map(({ start, end }) => text.slice(start, end)),
    ["Question", "4", ":", "My", "Courier", "is", "missing", "unheard of"],
  );
  const sum = parts.tokens.reduce((total, { attribution }) => total + attribution, 0);
  assert.ok(Math.abs(sum - (logit - baselineLogit)) <= Math.max(1e-3, 0.01 * Math.abs(logit - baselineLogit)));
  const again = await host.attribute(model, text, ["account", "delivery"]);
  assert.deepEqual(again[1], explained, "the same answer each time, in the order of the labels asked for");
});

test("more than wait in line are refused, and the others are answered", async () => {
  const asked = Array.from({ length: 70 }, () => host.attribute(model, "my parcel", ["delivery"]));
  const outcomes = await Promise.allSettled(asked);
  const refused = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.equal(refused.length, 6);
  assert.ok(refused.every(({ reason }) => reason.code === "queue_full"));
});

test("a call that nobody waits for any more ends with the signal's reason, and the next is answered", async () => {
  const reason = new Error("gone");
  const controller = new AbortController();
  const long = host.attribute(model, "parcel ".repeat(60), labels, controller.signal);
  setImmediate(() => controller.abort(reason));
  await assert.rejects(long, reason);
  await assert.rejects(host.attribute(model, "parcel", labels, controller.signal), reason);
  assert.equal((await host.attribute(model, "parcel", labels)).length, 3);
});
