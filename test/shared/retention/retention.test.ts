/** What a policy no longer keeps goes, with its objects and no more; and a project that is erased leaves nothing. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { Readable } from "node:stream";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { toFile } from "openai";
import { newId } from "../../../shared/ids.ts";
import { findOverdue, sweepRetention } from "../../../shared/retention/sweep.ts";
import { verifyObjects } from "../../../shared/retention/verify.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { clearLeftovers, keepNoLonger } from "../../../workers/sweeper.ts";
import { createTenant, type Deployment, deploy, type Tenant } from "../../support/deployment.ts";
import { addEvalRun } from "../../support/evals.ts";
import { addCheckpoint, addInference, addModel } from "../../support/records.ts";
import { freshWebhook } from "../../support/webhooks.ts";

const day = 24 * 60 * 60 * 1000;
/** More than a row holds. */
const large = { text: "x".repeat(70_000) };
const later = () => Date.now() + 31 * day;

let deployment: Deployment;
let tenant: Tenant;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());
beforeEach(async () => {
  tenant = await createTenant(deployment.stores, "acme");
});

const admin = async (method: string, path: string, body?: unknown) => {
  const headers = body === undefined ? undefined : { "content-type": "application/json" };
  const init = { method, key: tenant.adminKey, ...(headers && { headers }) };
  const url = `/v1/organization/projects/${tenant.project.id}/${path}`;
  const answer = await deployment.fetch(url, { ...init, ...(body !== undefined && { body: JSON.stringify(body) }) });
  // biome-ignore lint/suspicious/noExplicitAny: what it is the assertions say.
  return { status: answer.status, body: (await answer.json()) as any };
};
const client = () => deployment.client({ apiKey: tenant.key });
const upload = async (purpose: "fine-tune" | "batch" = "fine-tune") =>
  (await client().files.create({ file: await toFile(Buffer.from("{}\n"), "a.jsonl"), purpose })).id;
const record = async () => (await deployment.stores.retentions.get(tenant.project.id))!;

/** Sweeps until nothing is due, as workers do. */
async function sweepAll(now: number): Promise<number> {
  let removed = 0;
  for (let step = 0; step < 20; step++) {
    const one = await sweepRetention(deployment.stores, now);
    if (one === undefined) return removed;
    removed += one;
  }
  throw new Error("there is no end to it");
}

async function objectsOf(project: string): Promise<string[]> {
  const { aws, names } = deployment;
  const listed = await aws.s3.send(new ListObjectsV2Command({ Bucket: names.bucket, Prefix: `${project}/` }));
  return (listed.Contents ?? []).map(({ Key }) => Key!);
}

async function rowsOf(project: string): Promise<string[]> {
  const { aws, names } = deployment;
  const { Items = [] } = await aws.dynamodb.send(new ScanCommand({ TableName: names.table, ConsistentRead: true }));
  return Items.filter((item) => JSON.stringify(item).includes(project)).map(({ pk }) => String(pk));
}

describe("a policy", () => {
  it("keeps everything until an owner says otherwise, which the audit log tells", async () => {
    await upload();
    const { body } = await admin("GET", "retention");
    assert.deepEqual([body.policy.inference_days, body.policy.file_days.batch, body.overdue], [null, null, []]);
    assert.equal(await sweepRetention(deployment.stores, later()), undefined);
    const set = await admin("POST", "retention", { file_days: { batch: 7 }, inference_days: 30 });
    assert.deepEqual([set.body.policy.file_days.batch, set.body.policy.file_days["fine-tune"]], [7, null]);
    const audit = await deployment.fetch("/v1/organization/audit_logs", { key: tenant.adminKey });
    const [line] = ((await audit.json()) as { data: Record<string, { changes_requested: object }>[] }).data;
    assert.deepEqual(line!["project.updated"]!.changes_requested, { retention: set.body.policy });
    await sweepAll(Date.now());
    assert.equal((await client().files.list()).data.length, 1);
  });

  it("refuses days that are none, kinds that are none, and a project's own key", async () => {
    assert.equal((await admin("POST", "retention", { inference_days: 0 })).body.error.param, "inference_days");
    assert.equal((await admin("POST", "retention", { models: 3 })).status, 400);
    const init = { method: "POST", key: tenant.key, body: "{}", headers: { "content-type": "application/json" } };
    const answer = await deployment.fetch(`/v1/organization/projects/${tenant.project.id}/retention`, init);
    assert.equal(answer.status, 403);
  });
});

describe("a sweep", () => {
  it("removes inferences with what was said in them, and only when their time is over", async () => {
    const { stores } = deployment;
    const old = await addInference(stores, tenant, { input: large, output: "short" });
    await admin("POST", "retention", { inference_days: 30 });
    assert.equal(await sweepAll(Date.now() + 29 * day), 0);
    assert.deepEqual(await findOverdue(stores, await record(), later()), [{ kind: "inference_days", id: old.id }]);
    assert.equal(await sweepAll(later()), 1);
    assert.equal(await stores.inferences.get(tenant.project.id, old.id), undefined);
    assert.deepEqual(await objectsOf(tenant.project.id), []);
    assert.deepEqual(await findOverdue(stores, await record(), later()), []);
    assert.ok((await admin("GET", "retention")).body.swept_at > Date.now() / 1000);
  });

  it("removes files by their purpose, but none that unfinished work names", async () => {
    const [used, unused, other] = [await upload(), await upload(), await upload("batch")];
    const job = await client().fineTuning.jobs.create({ model: "millrace-ngram", training_file: used });
    await admin("POST", "retention", { file_days: { "fine-tune": 1 } });
    assert.equal(await sweepAll(later()), 1);
    const left = async () => (await client().files.list()).data.map(({ id }) => id).sort();
    assert.deepEqual(await left(), [used, other].sort());
    assert.deepEqual(await findOverdue(deployment.stores, await record(), later()), [], "what is held is not overdue");
    await client().fineTuning.jobs.cancel(job.id);
    await assert.rejects(client().files.content(unused), { status: 404 });
    assert.equal(await sweepAll(later() + day), 1);
    assert.deepEqual(await left(), [other]);
    assert.deepEqual(await objectsOf(tenant.project.id), [objectKeys.file(tenant.project.id, other)]);
  });

  it("gives a file back that work names which began while it was removed", async () => {
    const id = await upload();
    await admin("POST", "retention", { file_days: { "fine-tune": 1 } });
    let looks = 0;
    const unfinished = async () => (looks++ === 0 ? "nothing yet" : `a job of ${id}`);
    const { stores } = deployment;
    await sweepRetention({ ...stores, retained: { ...stores.retained, unfinished } }, later());
    assert.equal(looks, 2);
    assert.equal(await (await client().files.content(id)).text(), "{}\n");
    assert.equal(await clearLeftovers(stores.leftovers, later()), 0);
    assert.equal(await sweepAll(later() + day), 1, "the work is over");
  });

  it("removes results of evals and checkpoints of jobs that are over, and no model", async () => {
    const { stores } = deployment;
    const run = await addEvalRun(stores, tenant, newId("eval"), [{ item: large, output: "x" }]);
    const jobs = await Promise.all(
      [1, 2].map(async () => {
        const training_file = await upload();
        return (await client().fineTuning.jobs.create({ model: "millrace-ngram", training_file })).id;
      }),
    );
    const checkpoints = await Promise.all(jobs.map((id) => addCheckpoint(stores, tenant, id, 5)));
    for (const { object_key } of checkpoints) await stores.objects.put(object_key, Readable.from([Buffer.from("w")]));
    await client().fineTuning.jobs.cancel(jobs[0]!);
    const model = await addModel(stores, tenant);
    await admin("POST", "retention", { eval_run_days: 2, checkpoint_days: 2 });
    assert.equal(await sweepAll(later()), 2);
    assert.equal(await stores.evalRuns.get(tenant.project.id, run), undefined);
    const kept = await objectsOf(tenant.project.id);
    assert.ok(kept.includes(model.object_key) && kept.includes(checkpoints[1]!.object_key));
    assert.ok(!kept.includes(checkpoints[0]!.object_key) && !kept.some((key) => key.includes("/evals/")));
    assert.deepEqual(await findOverdue(stores, await record(), later()), []);
  });

  it("removes deliveries of webhooks that are over, and none that is to be sent", async () => {
    const { stores } = deployment;
    const { webhook_endpoints: id, deliveries } = await freshWebhook({ ...deployment, a: tenant, client });
    const endpoint = { project_id: tenant.project.id, id: id! };
    await admin("POST", "retention", { webhook_delivery_days: 1 });
    assert.equal(await sweepAll(later()), 0);
    const attempt = { attempted_at: 1, status_code: 200, latency_ms: 1, error: null };
    const delivery = (await stores.webhookDeliveries.get(endpoint, deliveries!))!;
    await stores.webhookDeliveries.record(delivery, attempt, { status: "succeeded", due: null });
    assert.equal(await sweepAll(later() + day), 1);
    assert.equal(await stores.webhookDeliveries.get(endpoint, deliveries!), undefined);
  });

  it("goes by bounded steps, from where the step before ended, and two at once remove nothing twice", async () => {
    const { stores } = deployment;
    const { id: project_id } = tenant.project;
    for (let i = 0; i < 30; i++) {
      const id = newId("file");
      await stores.files.create({
        ...{ id, object: "file", bytes: 1, created_at: 1000 + i, filename: "a", purpose: i % 2 ? "batch" : "evals" },
        ...{ status: "processed", project_id, object_key: objectKeys.file(project_id, id) },
      });
    }
    await admin("POST", "retention", { file_days: { batch: 1 } });
    const now = Date.now();
    const both = await Promise.all([sweepRetention(stores, now, 20), sweepRetention(stores, now, 20)]);
    assert.deepEqual(both.map((removed) => removed ?? 0).sort(), [0, 10]);
    assert.equal((await record()).place?.kind, "file_days");
    assert.equal(await sweepAll(now), 5);
    assert.equal((await record()).place, null);
    assert.equal((await stores.files.list(project_id, { limit: 1000, order: "asc" })).length, 15);
  });

  it("is taken up by another worker where one died in it", async () => {
    const { stores } = deployment;
    await addInference(stores, tenant, {});
    await admin("POST", "retention", { inference_days: 1 });
    assert.ok(await stores.retentions.change(await record(), {}, Date.now() + 60_000), "the worker that dies");
    assert.equal(await sweepRetention(stores, Date.now()), undefined);
    assert.equal(await sweepAll(later()), 1);
  });
});

describe("a verification", () => {
  it("tells of objects that no row names, and of no others", async () => {
    const { stores } = deployment;
    await upload();
    await addModel(stores, tenant);
    await addInference(stores, tenant, { input: large });
    const lost = objectKeys.file(tenant.project.id, newId("file"));
    await stores.objects.put(lost, Readable.from([Buffer.from("lost")]));
    assert.deepEqual((await verifyObjects(stores, tenant.project.id)).orphans, [], "it may be of a row to come");
    const { orphans, objects } = await verifyObjects(stores, tenant.project.id, later());
    assert.deepEqual([orphans, objects], [[lost], 4]);

    const program = fileURLToPath(new URL("../../../workers/tasks/retention/verify.ts", import.meta.url));
    const env = { ...process.env, ...deployment.environment };
    const { stdout } = await promisify(execFile)(process.execPath, [program, tenant.project.id], { env });
    assert.deepEqual([JSON.parse(stdout).objects, JSON.parse(stdout).orphans], [4, []]);
  });
});

describe("an erasure", () => {
  it("removes every row and object of an archived project, no other's, and says when nothing is left", async () => {
    const { stores } = deployment;
    const { id } = tenant.project;
    const training_file = await upload();
    await client().fineTuning.jobs.create({ model: "millrace-ngram", training_file });
    await addInference(stores, tenant, { input: large });
    await addModel(stores, tenant);
    const others = await rowsOf(deployment.b.project.id);

    assert.equal((await admin("GET", "data")).body.status, "none");
    assert.equal((await admin("DELETE", `data?confirmation=${id}`)).status, 409, "it is not archived");
    await admin("POST", "archive");
    assert.equal((await admin("DELETE", "data")).body.error.param, "confirmation");
    assert.equal((await admin("DELETE", `data?confirmation=${id}`)).body.status, "in_progress");
    await keepNoLonger(stores, 0);
    const { body } = await admin("GET", "data");
    assert.equal(body.status, "completed");
    assert.ok(body.removed_rows > 8 && body.removed_objects === 3, JSON.stringify(body));
    assert.deepEqual(await objectsOf(id), []);
    const told = (await rowsOf(id)).map((pk) => pk.split("#").at(-1));
    assert.deepEqual([...new Set(told)].sort(), ["audit_log", "erasure"]);
    assert.deepEqual(await rowsOf(deployment.b.project.id), others);
    assert.equal((await admin("GET", "retention")).status, 404);
    await assert.rejects(client().files.list(), { status: 401 });
    const audit = await deployment.fetch("/v1/organization/audit_logs", { key: tenant.adminKey });
    assert.equal(((await audit.json()) as { data: { type: string }[] }).data[0]!.type, "project.deleted");
  });
});
