/** A deployment goes on from copies of its table and bucket under other names: what restoring a backup comes to. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CopyObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { BatchWriteCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import OpenAI, { toFile } from "openai";
import { openContainer } from "../../api/container.ts";
import { provision } from "../../infra/local/provision.ts";
import { createStores } from "../../shared/stores/stores.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { jsonl, rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { startWorker } from "../support/workerProcess.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

const restored = { table: "millrace-as-it-was", bucket: "millrace-data-as-it-was" };

/** As restoring to a point in time does it: another table with all rows, and the objects of that moment. */
async function copyAll({ aws, names }: Deployment): Promise<void> {
  await provision(aws, restored);
  const { Items = [] } = await aws.dynamodb.send(new ScanCommand({ TableName: names.table }));
  for (let i = 0; i < Items.length; i += 25) {
    const puts = Items.slice(i, i + 25).map((Item) => ({ PutRequest: { Item } }));
    await aws.dynamodb.send(new BatchWriteCommand({ RequestItems: { [restored.table]: puts } }));
  }
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: names.bucket }));
  for (const { Key } of Contents) {
    await aws.s3.send(new CopyObjectCommand({ Bucket: restored.bucket, Key, CopySource: `${names.bucket}/${Key}` }));
  }
}

test("keys, files and a job that was waiting are there; the job ends, and the table that was left behind never hears of it", async () => {
  const client = deployment.client();
  const content = Buffer.from(jsonl(rowsOf(4)));
  const file = await client.files.create({ file: await toFile(content, "rows.jsonl"), purpose: "fine-tune" });
  const job = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file.id });
  await copyAll(deployment);

  const environment = {
    ...deployment.environment,
    ...{ MILLRACE_TABLE: restored.table, MILLRACE_BUCKET: restored.bucket, MILLRACE_LOG_LEVEL: "silent" },
  };
  const container = openContainer(environment, () => fakeHost());
  const fetch = async (url: string | URL | Request, init?: RequestInit) => container.app.request(url as string, init);
  const there = new OpenAI({ apiKey: deployment.keys.a, baseURL: "http://restored/v1", fetch, maxRetries: 0 });
  try {
    assert.equal(await (await there.files.content(file.id)).text(), content.toString());
    assert.equal((await there.fineTuning.jobs.retrieve(job.id)).status, "validating_files");
    const worker = await startWorker({ ...deployment, environment });
    await until(async () => (await there.fineTuning.jobs.retrieve(job.id)).finished_at, { what: "the job to end" });
    await worker.end("SIGTERM");
    const ended = await there.fineTuning.jobs.retrieve(job.id);
    assert.equal(ended.status, "succeeded", JSON.stringify(ended.error));
    const model = ended.fine_tuned_model!;
    assert.equal((await there.models.retrieve(model)).id, model);

    assert.equal((await client.fineTuning.jobs.retrieve(job.id)).status, "validating_files");
    await assert.rejects(client.models.retrieve(model), OpenAI.NotFoundError);
    const { models } = createStores(deployment.aws, restored);
    const { object_key } = (await models.get(deployment.a.project.id, model))!;
    assert.equal(await deployment.stores.objects.get(object_key), undefined, "nor does the bucket");
  } finally {
    await container.close();
  }
});
