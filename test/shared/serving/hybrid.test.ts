/** A model of two parts, n-grams and an adapted base: served as the sum that it was trained to be, and explained as that sum. */
import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importBase } from "../../../infra/models/importBase.ts";
import { openTextVectors } from "../../../shared/engine/models/textVectors.ts";
import type { Decision } from "../../../shared/engine/race/decision.ts";
import type { Course } from "../../../shared/engine/race/methods.ts";
import { createWinner } from "../../../shared/engine/race/winner.ts";
import { writeArtifact } from "../../../shared/engine/training/artifact.ts";
import { probabilities } from "../../../shared/engine/training/evaluation.ts";
import { BaseContent } from "../../../shared/schemas/baseContent.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { createModelHost, type ModelHost } from "../../../shared/serving/host.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { type Cloud, createTenant, openCloud } from "../../support/deployment.ts";
import { addModel } from "../../support/records.ts";
import { writeTinyBase } from "../../support/tinyBase.ts";
import { rowsOf } from "../../support/trainingData.ts";

const labels = ["billing", "delivery", "account"];
const rows = rowsOf(8);
const texts = rows.map(({ text }) => text);
const examples = { texts, labels: Int32Array.from(rows, ({ label }) => labels.indexOf(label)) };
const decision: Decision = {
  parts: [
    { method: "ngram", setting: { strength: 3, share: 1 }, scale: 0.7 },
    { method: "lora", setting: { strength: 3, share: 0.5 }, scale: 1.3 },
  ],
  bias: [0.2, 0, -0.1],
  outOfScope: { label: 2, own: 0.8, doubt: 0.5, constant: -0.3 },
  temperature: 1.5,
  thresholds: [],
};

let cloud: Cloud;
let host: ModelHost;
let model: ModelRecord;
/** What the learner itself says of the texts. */
let expected: Float32Array;
before(async () => {
  cloud = await openCloud();
  host = createModelHost(cloud.stores.objects, { threads: 1 });
  const directory = await mkdtemp(join(cloud.home, "base-"));
  await writeTinyBase(directory, texts);
  const files = ["config.json", "vocab.txt", "model.safetensors"];
  const { record } = await importBase(cloud.stores, { id: "tiny", directory, files, replace: false });
  const vectors = await openTextVectors(directory, 1);
  const requested = { n_epochs: 2, batch_size: 8 };
  const course: Course = { labels, vectors, requested, seed: 1, threads: 1 };
  const { learner } = await createWinner(course, decision, { train: examples, valid: examples });
  for (let step = 0; step < learner.totalSteps; step++) await learner.step(step);
  expected = (await learner.validate()).logits;
  const { temperature, thresholds, outOfScope } = decision;
  const path = join(cloud.home, "model.safetensors");
  writeArtifact(
    path,
    {
      ...{ architecture: "hybrid", labels, temperature, thresholds, outOfScope: outOfScope! },
      base: { digest: record.digest, adapter: learner.adapter! },
    },
    learner.weights(),
  );
  await Promise.all([learner.release(), vectors.release()]);
  const tenant = await createTenant(cloud.stores, "acme");
  const object_key = objectKeys.model(tenant.project.id, "ftjob-1", "attempt-1");
  const stored = await cloud.stores.objects.putFile(object_key, path);
  model = await addModel(cloud.stores, tenant, { object_key, ...stored, base: BaseContent.parse(record) });
});
after(async () => {
  await host.close();
  await cloud.close();
});

test("it answers as the model that was trained, its rule for what is none of the labels included", async () => {
  const answers = await host.classify(model, texts);
  for (const [row, answer] of answers.entries()) {
    const own = probabilities(expected.subarray(row * 3, row * 3 + 3), decision.temperature);
    // Weights of n-grams are stored in half precision.
    own.forEach((value, k) => {
      assert.ok(Math.abs(value - answer.probabilities[k]!) < 2e-3, `${value} ${answer.probabilities[k]}`);
    });
    assert.ok(answer.known && answer.tokens > 5);
  }
  const spread = answers.map(({ probabilities: [first] }) => first!);
  assert.ok(Math.max(...spread) - Math.min(...spread) > 0.2, "it tells texts apart");
});

test("its reasons add up to the sum of both parts' logits, word by word", async () => {
  const [first, second] = await host.attribute(model, texts[0]!, ["billing", "delivery"]);
  for (const [k, { logit, baselineLogit, parts }] of [first!, second!].entries()) {
    assert.ok(Math.abs(logit - expected[k]!) < 0.02, `${logit} ${expected[k]}`);
    assert.ok("tokens" in parts);
    const sum = parts.tokens.reduce((total, { attribution }) => total + attribution, 0);
    assert.ok(Math.abs(sum - (logit - baselineLogit)) < Math.max(0.01, 0.02 * Math.abs(logit - baselineLogit)));
    assert.ok(parts.tokens.some(({ start, end }) => texts[0]!.slice(start, end) === "invoice"));
  }
});
