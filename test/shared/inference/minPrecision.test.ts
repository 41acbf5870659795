/** From a job's validation rows to a refused answer: what a model was measured to be sure of is what it is held to. */
import assert from "node:assert/strict";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { train } from "../../../shared/engine/training/train.ts";
import { newId } from "../../../shared/ids.ts";
import { decisions } from "../../../shared/inference/decisions.ts";
import { createModelLookUp } from "../../../shared/inference/modelLookUp.ts";
import { createModelHost, type ModelHost } from "../../../shared/serving/host.ts";
import { type Cloud, createTenant, openCloud, type Tenant } from "../../support/deployment.ts";
import { addModel } from "../../support/records.ts";
import { jsonl, type LabelledText, rowsOf } from "../../support/trainingData.ts";

const labels = ["billing", "delivery", "account"];
let cloud: Cloud;
let tenant: Tenant;
let host: ModelHost;
before(async () => {
  cloud = await openCloud();
  tenant = await createTenant(cloud.stores, "acme");
  host = createModelHost(cloud.stores.objects, { threads: 1 });
});
after(async () => {
  await host.close();
  await cloud.close();
});

/** Gives the name of a model that was trained on the same rows whatever it is judged by. */
async function modelJudgedBy(valid: readonly LabelledText[]): Promise<string> {
  const file = (name: string, rows: readonly LabelledText[]) => {
    const path = join(cloud.home, name);
    writeFileSync(path, jsonl(rows.map(({ text, label }) => ({ text, label: labels.indexOf(label) }))));
    return path;
  };
  const request = {
    ...{ architecture: "ngram" as const, base: null, labels, refit: false, seed: 1, threads: 1, checkpoint: null },
    ...{ hyperparameters: {}, directory: cloud.home, checkpointSteps: 0, checkpointSeconds: 60 },
    trainFile: file("train.jsonl", rowsOf(40)),
    validFile: file("valid.jsonl", valid),
  };
  for await (const event of train(request, new AbortController().signal)) {
    if (event.type !== "finished") continue;
    const object_key = `${tenant.project.id}/model-${valid.length}`;
    const stored = await cloud.stores.objects.put(object_key, createReadStream(event.path));
    return (await addModel(cloud.stores, tenant, { object_key, ...stored })).id;
  }
  throw new Error("The training did not finish");
}

async function ask(model: string, input: string, min_precision?: number) {
  const context = { models: createModelLookUp(cloud.stores), host };
  const choices = labels.map((value) => ({ value }));
  const questions = [{ type: "choice" as const, instructions: "About what?", choices }];
  const request = { model, input, questions, min_precision };
  const { signal } = new AbortController();
  return (await decisions.answer({ context, id: newId("request"), project: tenant.project, request, signal })).body
    .answers[0]!;
}

test("a model answers what it is as sure of as it was of rows it had right, and refuses what it is torn about", async () => {
  const model = await modelJudgedBy(rowsOf(60).slice(120));
  const clear = await ask(model, "Question 77: my refund and the invoice are missing", 0.9);
  assert.equal(clear.type === "choice" && clear.choice, "billing");
  const torn = "my refund and the parcel are missing";
  assert.equal((await ask(model, torn)).type, "choice");
  assert.deepEqual(await ask(model, torn, 0.9), { type: "refusal", name: null });
  // Sixty rows without a fault: 0.9 ** 60 is 0.0018 and 0.91 ** 60 is 0.0035, to be less than 0.05 / 20.
  await assert.rejects(ask(model, torn, 0.91), /support 0\.9 at most/);
});

test("a model that was judged by no rows answers, and promises no precision", async () => {
  const model = await modelJudgedBy([]);
  assert.equal((await ask(model, "my refund is missing")).type, "choice");
  await assert.rejects(ask(model, "my refund is missing", 0.5), /no validation rows/);
});
