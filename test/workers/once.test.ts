/** At least once in, exactly once out: doubled messages, lost leases, lost messages and purged queues change nothing. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PurgeQueueCommand } from "@aws-sdk/client-sqs";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

const sendAgain = async (id: string) => shop.queue.send("fine_tuning_job", await shop.job(id));

async function assertOneResult(id: string): Promise<void> {
  const job = await shop.job(id);
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  const models = await shop.stores.models.list(shop.a.project.id, { limit: 100 });
  assert.equal(models.filter(({ job_id }) => job_id === id).length, 1);
  assert.equal(job.result_files.length, 1);
  const messages = (await shop.events(id)).map(({ message }) => message);
  for (const once of ["Fine-tuning job started", "Files validated, moving job to queued state"]) {
    assert.equal(messages.filter((text) => text === once).length, 1, once);
  }
  assert.equal(messages.at(-1), "The job has successfully completed");
}

test("a message delivered ten times to three workers trains once", async () => {
  const id = await shop.submit({ training: rowsOf(40) });
  await Promise.all(Array.from({ length: 10 }, () => sendAgain(id)));
  const workers = await Promise.all(Array.from({ length: 3 }, () => shop.work()));
  await shop.finished(id);
  await sendAgain(id);
  await until(() => shop.empty(), { what: "all messages to be gone" });
  await Promise.all(workers.map((worker) => worker.end("SIGTERM")));
  await assertOneResult(id);
  assert.equal((await shop.stored(`models/${id}`)).length, 1);
});

test("a worker that was frozen for longer than its lease writes nothing when it wakes", async () => {
  const id = await shop.submit({ training: rowsOf(40), epochs: 4 });
  const held = shop.gate.hold(telling(id, "training loss"));
  const frozen = await shop.work();
  const write = await held;
  frozen.process.kill("SIGSTOP");
  const successor = await shop.work();
  await shop.finished(id);
  const after = [await shop.job(id), await shop.events(id), await shop.stored("")];
  // The write it had begun arrives late, and what it does next is up to it.
  write.release();
  frozen.process.kill("SIGCONT");
  await until(() => shop.empty(), { what: "its message to be settled" });
  assert.equal(await frozen.end("SIGTERM"), 0);
  await successor.end("SIGTERM");
  assert.deepEqual([await shop.job(id), await shop.events(id), await shop.stored("")], after);
  await assertOneResult(id);
});

test("a job whose message was never sent, or was purged, is delivered by the sweeper", async () => {
  const unsent = await shop.submit({ training: rowsOf(4) });
  const purged = await shop.submit({ training: rowsOf(4) });
  await shop.aws.sqs.send(new PurgeQueueCommand({ QueueUrl: shop.names.queueUrl }));
  // As if the grace that a message has to follow its row were over.
  const later = Date.now() + 31_000;
  for (const id of [unsent, purged]) assert.ok(await shop.stores.jobs.postpone(await shop.job(id), later, Date.now()));
  const worker = await shop.work();
  for (const id of [unsent, purged]) await shop.finished(id);
  await worker.end("SIGTERM");
  for (const id of [unsent, purged]) await assertOneResult(id);
});
