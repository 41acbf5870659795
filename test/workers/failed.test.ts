/** What cannot be done ends as `failed` with its cause, and never stands in the way of the next job. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

/** Of the messages in the dead-letter queue, by job. */
async function causes(): Promise<Record<string, string>> {
  const asked = new ReceiveMessageCommand({
    QueueUrl: shop.names.deadLetterQueueUrl,
    MessageAttributeNames: ["All"],
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 0,
  });
  const { Messages = [] } = await shop.aws.sqs.send(asked);
  return Object.fromEntries(
    Messages.map(({ Body, MessageAttributes }) => [JSON.parse(Body!).id, MessageAttributes!.cause!.StringValue!]),
  );
}

test("a job whose device dies each time fails after three attempts, and the queue goes on", async () => {
  const id = await shop.submit({ training: rowsOf(4) });
  const worker = await shop.work();
  for (let attempt = 1; attempt <= 3; attempt++) {
    const [device] = await until(() => worker.devices().length > 0 && worker.devices(), { what: "a device" });
    process.kill(device!, "SIGKILL");
    await until(() => !worker.devices().includes(device!), { what: "its end" });
  }
  const job = await shop.finished(id);
  const cause = "The device process was killed by SIGKILL";
  assert.equal(job.status, "failed");
  const message = `Gave up after 3 attempts: ${cause}`;
  assert.deepEqual(job.error, { code: "attempts_exhausted", message, param: null });
  assert.equal(job.lease, null);
  await until(() => shop.empty(), { what: "the queue to be empty" });
  assert.deepEqual(await causes(), { [id]: cause });
  const next = await shop.finished(await shop.submit({ training: rowsOf(4) }));
  assert.equal(next.status, "succeeded");
  await worker.end("SIGTERM");
});

test("a job that three workers died over fails at the fourth, and the queue goes on", async () => {
  const id = await shop.submit({ training: rowsOf(4) });
  for (let attempt = 1; attempt <= 3; attempt++) {
    const held = shop.gate.hold(telling(id, "Validating training file"));
    const worker = await shop.work({ MILLRACE_SWEEP_SECONDS: "0.25" });
    await held;
    await worker.end("SIGKILL");
  }
  const next = await shop.submit({ training: rowsOf(4) });
  const worker = await shop.work({ MILLRACE_SWEEP_SECONDS: "0.25" });
  const job = await shop.finished(id);
  assert.equal(job.status, "failed");
  assert.equal(job.error!.message, "Gave up after 3 attempts: the worker died while at work on it");
  assert.equal((await shop.finished(next)).status, "succeeded");
  await until(() => shop.empty(), { what: "the queue to be empty" });
  await worker.end("SIGTERM");
  assert.equal((await causes())[id], "the worker died while at work on it");
});
