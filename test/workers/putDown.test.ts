/** Work is put down when the worker must go or a client says so, at once and without loss, and taken up where it was. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GetObjectTaggingCommand } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { transientTag } from "../../shared/stores/transient.ts";
import { isRunning } from "../support/processes.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import type { WorkerProcess } from "../support/workerProcess.ts";
import { type JobRequest, openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

/** Nearly 2,000 steps: seconds, in which nothing need be hurried. */
const long: JobRequest = { training: rowsOf(100), epochs: 6, batch: 2 };
let reference: Promise<string> | undefined;

/** What `long` comes to when nobody disturbs it. */
function undisturbed(): Promise<string> {
  reference ??= shop.submit(long).then((id) => complete(id));
  return reference;
}

async function complete(id: string): Promise<string> {
  const worker = await shop.work();
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  return shop.modelDigest(job);
}

/** Never looks at the row between two writes of its own. */
const blind = { MILLRACE_POLL_SECONDS: "30", MILLRACE_LEASE_SECONDS: "90" };

/** A job in training, with the request that tells of its first step already let through. */
async function inTraining(environment = {}): Promise<{ id: string; worker: WorkerProcess }> {
  const id = await shop.submit(long);
  const held = shop.gate.hold(telling(id, "training loss"));
  const worker = await shop.work(environment);
  (await held).release();
  return { id, worker };
}

const released = (id: string) => until(async () => !(await shop.job(id)).lease, { what: `${id} to be let go` });
const change = (id: string, how: "pause" | "resume" | "cancel") => shop.client().fineTuning.jobs[how](id);

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const tagsOf = async (Key: string) => {
  const { TagSet = [] } = await shop.aws.s3.send(new GetObjectTaggingCommand({ Bucket: shop.names.bucket, Key }));
  return TagSet.map(({ Key: name, Value }) => `${name}=${Value}`);
};

test("SIGTERM stores a checkpoint and hands the job back, and another worker ends it in the same bits", async () => {
  const digest = await undisturbed();
  const { id, worker } = await inTraining();
  assert.equal(await worker.end("SIGTERM"), 0);
  const row = await shop.job(id);
  assert.equal(row.status, "queued");
  assert.equal(row.lease, null);
  assert.ok(row.latest_checkpoint);
  const { Messages = [] } = await shop.aws.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: shop.names.queueUrl, VisibilityTimeout: 0 }),
  );
  assert.deepEqual(
    Messages.map(({ Body }) => JSON.parse(Body!).id),
    [id],
    "its message is visible at once",
  );
  assert.deepEqual(await tagsOf(row.latest_checkpoint.object_key), [`${transientTag}=checkpoint`]);
  assert.equal(await complete(id), digest);
  assert.equal((await shop.job(id)).failures, 0);
  for (const key of await shop.stored(`${shop.a.project.id}/models/`)) assert.deepEqual(await tagsOf(key), [], key);
});

test("a job whose checkpoint the bucket let go of fails, and says so", async () => {
  const { id, worker } = await inTraining();
  await worker.end("SIGTERM");
  await shop.stores.objects.delete((await shop.job(id)).latest_checkpoint!.object_key);
  const other = await shop.work();
  const { status, error } = await shop.finished(id);
  await other.end("SIGTERM");
  assert.deepEqual([status, error?.code], ["failed", "checkpoint_expired"]);
});

test("a worker with another number of threads goes on from the checkpoint too", async () => {
  const { id, worker } = await inTraining();
  await worker.end("SIGTERM");
  const { step } = (await shop.job(id)).latest_checkpoint!;
  const other = await shop.work({ MILLRACE_DEVICE_THREADS: "2" });
  const job = await shop.finished(id);
  await other.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  const messages = (await shop.events(id)).map(({ message }) => message);
  assert.ok(messages.includes(`Fine-tuning job started again from step ${step}`));
});

test("SIGTERM before the first step leaves the job as it was", async () => {
  const id = await shop.submit({ training: rowsOf(4) });
  const held = shop.gate.hold(telling(id, "Files validated"));
  const worker = await shop.work();
  const request = await held;
  const ended = worker.end("SIGTERM");
  request.release();
  assert.equal(await ended, 0);
  const row = await shop.job(id);
  assert.equal(row.status, "queued");
  assert.equal(row.lease, null);
  await complete(id);
});

test("pause stores a checkpoint and lets go within 2 s; resume ends in the same bits", async () => {
  const digest = await undisturbed();
  const { id, worker } = await inTraining();
  await change(id, "pause");
  assert.ok((await seconds(() => released(id))) < 2);
  const row = await shop.job(id);
  assert.equal(row.status, "paused");
  const [last] = (await shop.events(id)).slice(-1);
  assert.equal(last!.message, `Checkpoint created at step ${row.latest_checkpoint!.step}`);

  await change(id, "resume");
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  assert.equal(await shop.modelDigest(job), digest);
  const messages = (await shop.events(id)).map(({ message }) => message);
  assert.ok(messages.includes(`Fine-tuning job started again from step ${row.latest_checkpoint!.step}`));
  assert.equal(job.failures, 0);
});

test("pause does not wait for a device that hangs: it is killed, and resume ends in the same bits", async () => {
  const digest = await undisturbed();
  const { id, worker } = await inTraining();
  const [device] = worker.devices();
  process.kill(device!, "SIGSTOP");
  const { latest_checkpoint: before } = await shop.job(id);
  await change(id, "pause");
  assert.ok((await seconds(() => released(id))) < 2);
  const row = await shop.job(id);
  assert.equal(row.status, "paused");
  assert.deepEqual(row.latest_checkpoint, before);
  assert.equal(isRunning(device!), false);

  await change(id, "resume");
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  assert.equal(await shop.modelDigest(job), digest);
  assert.equal(job.failures, 0);
});

test("pause and resume before the worker looks again end in the same bits, and count as no failure", async () => {
  const digest = await undisturbed();
  const { id, worker } = await inTraining(blind);
  await change(id, "pause");
  await change(id, "resume");
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  assert.equal(await shop.modelDigest(job), digest);
  assert.equal(job.failures, 0);
});

test("pause while the files are validated stays: the worker does not queue a paused job", async () => {
  const id = await shop.submit({ training: rowsOf(4) });
  const held = shop.gate.hold(telling(id, "Files validated"));
  const worker = await shop.work(blind);
  const request = await held;
  await change(id, "pause");
  request.release();
  await released(id);
  assert.equal((await shop.job(id)).status, "paused");
  await change(id, "resume");
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "succeeded");
});

test("cancel takes effect within 2 s in training, and nothing is written afterwards", async () => {
  const { id, worker } = await inTraining();
  await change(id, "cancel");
  assert.ok((await seconds(() => released(id))) < 2);
  await until(() => worker.devices().length === 0, { what: "its device to end", seconds: 2 });
  const before = [await shop.job(id), await shop.events(id)];
  assert.equal(await worker.end("SIGTERM"), 0);
  assert.deepEqual([await shop.job(id), await shop.events(id)], before);
  const row = await shop.job(id);
  assert.equal(row.status, "cancelled");
  assert.equal(row.estimated_finish, null);
  assert.deepEqual(await shop.stored(`models/${id}`), []);
});

test("cancel while queued and while validating", async () => {
  const queued = await shop.submit({ training: rowsOf(4) });
  await change(queued, "cancel");
  const validating = await shop.submit({ training: rowsOf(4) });
  const held = shop.gate.hold(telling(validating, "Files validated"));
  const worker = await shop.work();
  const request = await held;
  await change(validating, "cancel");
  request.release();
  await released(validating);
  await worker.end("SIGTERM");
  for (const id of [queued, validating]) assert.equal((await shop.job(id)).status, "cancelled");
  const messages = (await shop.events(queued)).map(({ message }) => message);
  assert.deepEqual(messages, [`Created fine-tuning job: ${queued}`, "Job cancelled"]);
});

test("finish against cancel: exactly one of the two, and a model exists only for what succeeded", async () => {
  const worker = await shop.work();
  const ids: string[] = [];
  for (let round = 0; round < 9; round++) {
    const id = await shop.submit({ training: rowsOf(4), epochs: 1 });
    ids.push(id);
    const held = shop.gate.hold(telling(id, "New fine-tuned model created"));
    const request = await held;
    // One after the other or the other way round, or both at once.
    if (round % 3 === 0) await change(id, "cancel");
    request.release();
    if (round % 3 === 1) await shop.finished(id);
    if (round % 3 > 0) await change(id, "cancel").catch((error) => assert.equal(error.status, 409));
    await released(id);
  }
  await worker.end("SIGTERM");
  const states = new Set<string>();
  for (const id of ids) {
    const job = await shop.job(id);
    states.add(job.status);
    const succeeded = job.status === "succeeded";
    assert.ok(succeeded || job.status === "cancelled", job.status);
    assert.equal(job.fine_tuned_model !== null, succeeded);
    assert.equal(job.result_files.length, succeeded ? 1 : 0);
    assert.equal((await shop.stored(`models/${id}`)).length, succeeded ? 1 : 0, "no weights nobody can name");
    const messages = (await shop.events(id)).map(({ message }) => message);
    assert.equal(messages.includes("Job cancelled"), !succeeded);
    assert.equal(messages.includes("The job has successfully completed"), succeeded);
  }
  assert.deepEqual([...states].sort(), ["cancelled", "succeeded"]);
  const models = await shop.stores.models.list(shop.a.project.id, { limit: 1000 });
  const jobs = await shop.stores.jobs.list(shop.a.project.id, { limit: 1000 });
  assert.equal(models.length, jobs.filter(({ status }) => status === "succeeded").length);
});

test("a worker that cannot put its work down in its time ends all the same, and another does the work", async () => {
  const id = await shop.submit({ training: rowsOf(8) });
  const held = shop.gate.hold(telling(id, "training loss"));
  const worker = await shop.work({ MILLRACE_STOP_SECONDS: "0.5" });
  const { release } = await held;
  assert.equal(await worker.end("SIGTERM"), 1);
  release();
  await complete(id);
});
