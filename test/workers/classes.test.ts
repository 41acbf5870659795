/** Two queues and two classes of workers: each training is done by its own class, whoever finds that nobody does it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PurgeQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { sweep } from "../../workers/sweeper.ts";
import { isRunning } from "../support/processes.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import type { WorkerProcess } from "../support/workerProcess.ts";
import { type JobRequest, openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop({ hasLightQueue: true });
});
after(() => shop.close());

const light: JobRequest = { training: rowsOf(8), epochs: 1 };
const heavy: JobRequest = { training: rowsOf(2), model: "millrace-encoder-tiny", epochs: 1 };

test("what was never sent goes to its own class, whoever sweeps", async () => {
  const queues = [shop.environment.MILLRACE_LIGHT_QUEUE_URL!, shop.names.queueUrl];
  const ids = [await shop.submit(light), await shop.submit(heavy)];
  for (const QueueUrl of queues) await shop.aws.sqs.send(new PurgeQueueCommand({ QueueUrl }));
  await sweep(shop.stores.jobs, shop.queue, Date.now() + 31_000);
  const found = queues.map(async (QueueUrl) => {
    const asked = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
    const { Messages = [] } = await shop.aws.sqs.send(new ReceiveMessageCommand(asked));
    return Messages.map(({ Body }) => JSON.parse(Body!).id);
  });
  assert.deepEqual(
    await Promise.all(found),
    ids.map((id) => [id]),
  );
  for (const id of ids) await shop.client().fineTuning.jobs.cancel(id);
});

/** Who has a device when the job tells of its first step. */
async function trainers(id: string, workers: Record<string, WorkerProcess>): Promise<string[]> {
  const { release } = await shop.gate.hold(telling(id, "training loss"));
  const names = Object.keys(workers).filter((name) => workers[name]!.devices().length > 0);
  release();
  return names;
}

async function succeeds(id: string): Promise<void> {
  const job = await shop.finished(id);
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
}

test("both classes at once: each does its own, and takes its own up again when a worker dies", async () => {
  const work = (MILLRACE_WORKER_QUEUES: string) => shop.work({ MILLRACE_WORKER_QUEUES });
  const [gpu, cpu] = await Promise.all([work("jobs,answers"), work("light")]);
  const own = await shop.submit(heavy);
  assert.deepEqual(await trainers(own, { gpu, cpu }), ["gpu"]);
  await succeeds(own);

  const id = await shop.submit(light);
  await shop.gate.hold(telling(id, "training loss"));
  const devices = cpu.devices();
  assert.equal(devices.length, 1);
  await cpu.end("SIGKILL");
  await until(() => !devices.some(isRunning), { what: "the device to follow its worker" });
  const successor = await work("light");
  assert.deepEqual(await trainers(id, { gpu, successor }), ["successor"]);
  await succeeds(id);
  await Promise.all([gpu, successor].map((worker) => worker.end("SIGTERM")));
});
