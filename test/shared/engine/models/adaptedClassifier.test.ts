/** An imported base is tuned by an adapter, stored without the base, and answers the same when it is put together again. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openEncoder } from "../../../../shared/engine/models/adaptedBase.ts";
import { architectures } from "../../../../shared/engine/models/architectures.ts";
import { usualStrength } from "../../../../shared/engine/models/logisticHead.ts";
import { readPretrained } from "../../../../shared/engine/models/pretrained.ts";
import { openTextVectors } from "../../../../shared/engine/models/textVectors.ts";
import { createWholeLearner } from "../../../../shared/engine/models/wholeLearner.ts";
import { Resident } from "../../../../shared/engine/resident/resident.ts";
import { readArtifact } from "../../../../shared/engine/training/artifact.ts";
import type { Learner } from "../../../../shared/engine/training/learner.ts";
import { train } from "../../../../shared/engine/training/train.ts";
import { writeTinyBase } from "../../../support/tinyBase.ts";
import { jsonl, rowsOf } from "../../../support/trainingData.ts";

const rows = rowsOf(40);
const labels = [...new Set(rows.map(({ label }) => label))];
const examples = {
  texts: rows.map(({ text }) => text),
  labels: Int32Array.from(rows, ({ label }) => labels.indexOf(label)),
};
const hyperparameters = { n_epochs: 12, batch_size: 8, learning_rate_multiplier: 10 };
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-base-"));
  await writeTinyBase(directory, examples.texts);
});
after(() => rm(directory, { recursive: true }));

const options = { train: examples, valid: examples, refit: true, classes: labels.length, seed: 5, threads: 1 };

/** Every layer's own weights, kept as an adapter. */
async function wholeLearner(): Promise<Learner> {
  const vectors = await openTextVectors(directory, 1);
  const adapter = { rank: 16, alpha: 32, dropout: 0.05, targets: "all-linear" } as const;
  const slower = { ...hyperparameters, learning_rate_multiplier: 1 };
  try {
    const over = { ...options, hyperparameters: slower, base: null, vectors, strength: usualStrength };
    return await createWholeLearner(over, { adapter, peakLearningRate: 1e-3 });
  } finally {
    await vectors.release();
  }
}

const ways = {
  "beside a frozen base": () =>
    architectures.pretrained.createLearner({ ...options, hyperparameters, base: directory }),
  "by all layers of a base": wholeLearner,
};

for (const [way, createLearner] of Object.entries(ways)) {
  test(`learns ${way}, goes on from any step to the same bits, and is served as it was judged`, async () => {
    const learner = await createLearner();
    for (let step = 0; step < 7; step++) await learner.step(step);
    const middle = structuredClone(learner.state());
    for (let step = 7; step < learner.totalSteps; step++) await learner.step(step);
    const judged = await learner.validate();
    const bits = bitsOf(learner);
    learner.restore(middle);
    for (let step = 7; step < learner.totalSteps; step++) await learner.step(step);
    assert.deepEqual(bitsOf(learner), bits);

    const served = await servedBy(learner);
    let right = 0;
    for (const [row, answer] of served.entries()) {
      assert.ok(!(answer instanceof Error));
      const logits = answer.logits!;
      if (logits.indexOf(Math.max(...logits)) === examples.labels[row]) right++;
      for (const [i, value] of logits.entries()) {
        assert.ok(Math.abs(value - (judged.logits[row * labels.length + i] as number)) < 1e-3, `row ${row}`);
      }
    }
    assert.ok(right / rows.length > 0.95, `${right} of ${rows.length} right`);
    await learner.release();
  });
}

function bitsOf(learner: Learner): string[] {
  return Object.values(learner.weights()).map(({ data }) => Buffer.from(data.buffer).toString("base64"));
}

async function servedBy(learner: Learner) {
  const weights = new Map(Object.entries(learner.weights()));
  const encoder = await openEncoder(directory);
  const pretrained = await readPretrained(directory);
  const options = { threads: 1, precision: "float32", adapterBytes: 2 ** 20 } as const;
  const resident = await Resident.open(pretrained, learner.adapter!, options);
  const asked = examples.texts.map((text) => ({ ids: encoder.encode(text), model: "ours" }));
  const answers = await resident.run(asked, () => weights);
  await resident.release();
  return answers;
}

test("the model file holds adapter and head, and says which base they belong to", async () => {
  const file = (name: string) => join(directory, name);
  const prepared = jsonl(rows.map(({ text, label }) => ({ text, label: labels.indexOf(label) })));
  await writeFile(file("train"), prepared);
  const request = {
    ...{ architecture: "pretrained" as const, labels, refit: true, seed: 1, threads: 1, directory, checkpoint: null },
    ...{ checkpointSteps: 0, checkpointSeconds: 60, hyperparameters: { ...hyperparameters, n_epochs: 1 } },
    base: { directory, digest: "b".repeat(64) },
    trainFile: file("train"),
    validFile: file("train"),
  };
  let path = "";
  for await (const event of train(request, new AbortController().signal)) {
    if (event.type === "finished") path = event.path;
  }
  const { config, weights } = readArtifact(path);
  assert.equal(config.base?.digest, request.base.digest);
  assert.equal(config.base?.adapter.rank, 8);
  const names = [...weights.keys()];
  assert.ok(names.some((name) => name.startsWith("base_model.model.bert.encoder.layer.1.")));
  assert.ok(names.includes("classifier.weight"));
  assert.ok(!names.some((name) => name.startsWith("bert.e")), "nothing of the base");
});
