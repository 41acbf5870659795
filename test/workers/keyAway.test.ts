/** While an organization's key cannot be used, its work waits: nothing is failed or given up, and it is done when the key is back. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { toFile } from "openai";
import { parseEncryption } from "../../shared/encryption/keyProvider.ts";
import { createStores } from "../../shared/stores/stores.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { type KmsServer, startKms } from "../support/kms.ts";
import { workerContext, workOn } from "../support/workerTasks.ts";

let kms: KmsServer;
let deployment: Deployment;
before(async () => {
  kms = await startKms();
  process.env.AWS_ENDPOINT_URL_KMS = kms.url;
  deployment = await deploy({ keysAt: () => "kms:tests" });
});
after(async () => {
  delete process.env.AWS_ENDPOINT_URL_KMS;
  await deployment.close();
  await kms.close();
});

const turnKeys = (state: "Enabled" | "Disabled") => {
  for (const key of kms.keys.values()) key.state = state;
};
/** Of a worker that was just started, and has no key in memory. */
const newWorker = () => {
  const stores = createStores(deployment.aws, { ...deployment.names, encryption: parseEncryption("kms:tests") });
  return workerContext({ ...deployment, stores }, fakeHost());
};

async function upload(): Promise<string> {
  const lines = ["ham", "spam"].map((label) => JSON.stringify({ text: `some ${label}`, label }));
  const file = await toFile(Buffer.from(lines.join("\n")), "a.jsonl");
  return (await deployment.client().files.create({ file, purpose: "fine-tune" })).id;
}

test("what is to be done while a key is away for longer than there are attempts waits, and is done when it is back", async () => {
  const client = deployment.client();
  const file_id = await upload();
  const body = { sources: [{ type: "file", file_id }] };
  const { id } = await client.post<{ id: string }>("/datasets/mine/versions", { body });
  const job = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file_id });
  const project_id = deployment.a.project.id;
  turnKeys("Disabled");
  const worker = newWorker();
  for (let tries = 0; tries < 5; tries++) {
    for (const [kind, its] of [["dataset_version", id] as const, ["fine_tuning_job", job.id] as const]) {
      assert.deepEqual(await workOn(worker, kind, { id: its, project_id }), { type: "retry", seconds: 30 });
    }
  }
  const { jobs, datasets } = worker.stores;
  for (const waiting of [await datasets.versions.get(project_id, id), await jobs.get(project_id, job.id)]) {
    assert.deepEqual([waiting?.error, waiting?.failures, waiting?.lease, waiting?.finished_at], [null, 0, null, null]);
  }
  turnKeys("Enabled");
  assert.deepEqual(await workOn(worker, "dataset_version", { id, project_id }), { type: "done" });
  const built = (await client.get("/datasets/mine/versions/1")) as { status: string; rows: object };
  assert.deepEqual([built.status, built.rows], ["ready", { train: 2, validation: 0, test: 0 }]);
});
