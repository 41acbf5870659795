/** A worker may be killed at any moment: the next one goes on, and the model is the same to the bit. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isRunning } from "../support/processes.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { type JobRequest, openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
  // So that what each job may cost is reserved.
  await shop.stores.budgets.setLimit(shop.a.project.id, 1e12, []);
});
after(() => shop.close());

const settings = { MILLRACE_CHECKPOINT_STEPS: "6", MILLRACE_SWEEP_SECONDS: "0.25" };

/** 108 rows learnt make 6 steps a pass, so that the last of the model that is judged is a checkpoint's too. */
const ngram: JobRequest = { training: rowsOf(40), epochs: 10, batch: 18 };

/** Killed while the write that holds these words is on its way: it is never made. */
async function killAt(id: string, words: string): Promise<void> {
  const held = shop.gate.hold(telling(id, words));
  const worker = await shop.work(settings);
  await held;
  const devices = worker.devices();
  await worker.end("SIGKILL");
  await until(() => !devices.some(isRunning), { what: "the devices to follow their worker" });
}

/** What all jobs were charged is what their receipts say, what they learnt from is charged once, and nothing is reserved any more. */
async function checkCharges(ids: readonly string[]): Promise<void> {
  const records = await Array.fromAsync(shop.stores.usage.stream(shop.a.project.id, 0, 1e10));
  const jobs = await Promise.all(ids.map((id) => shop.job(id)));
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  for (const { receipt, trained_tokens, reserved_nanos } of jobs) {
    assert.equal(receipt!.tokens, trained_tokens);
    assert.ok(reserved_nanos! > 0);
  }
  assert.deepEqual(await shop.stores.budgets.reservations(shop.a.project.id), []);
  assert.deepEqual(
    {
      tokens: total(records.map(({ input_tokens }) => input_tokens)),
      milliseconds: total(records.map(({ milliseconds }) => milliseconds)),
      nanos: total(records.map(({ nanos }) => nanos)),
      jobs: total(records.map(({ requests }) => requests)),
    },
    {
      tokens: total(jobs.map(({ receipt }) => receipt!.tokens)),
      milliseconds: total(jobs.map(({ receipt }) => Math.round(receipt!.seconds * 1000))),
      nanos: total(jobs.map(({ receipt }) => Math.round(receipt!.price.value * 1e9))),
      jobs: ids.length,
    },
  );
}

/** By a worker that nobody disturbs. */
async function complete(id: string) {
  const worker = await shop.work(settings);
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  return { digest: await shop.modelDigest(job), tokens: job.trained_tokens, lease: job.lease };
}

test("a millrace-ngram job whose worker is killed at every stage ends in the same bits", async () => {
  const undisturbed = await shop.submit(ngram);
  const reference = await complete(undisturbed);
  const judged = Math.max(
    ...(await shop.events(undisturbed)).map(({ data }) => (data?.valid_loss ? Number(data.step) : 0)),
  );
  assert.ok(judged >= 18, "some steps before, some after");
  const id = await shop.submit(ngram);
  await killAt(id, "Validating training file");
  await killAt(id, "training loss");
  await killAt(id, "Checkpoint created at step 12");
  const begun = await shop.job(id);
  assert.equal(begun.latest_checkpoint?.step, 6);
  const left = begun.reserved_nanos! - Math.round(begun.receipt!.price.value * 1e9);
  const reserved = await shop.stores.budgets.reservations(shop.a.project.id);
  assert.deepEqual(reserved, [{ id, nanos: Math.max(0, left) }], "what was charged is not reserved any more");
  // The next goes on from where validation ended: what it said of the rows held out must be kept.
  await killAt(id, `Checkpoint created at step ${judged + 6}`);
  assert.equal((await shop.job(id)).latest_checkpoint?.step, judged);
  await killAt(id, `Checkpoint created at step ${judged + 12}`);
  assert.equal((await shop.job(id)).latest_checkpoint?.step, judged + 6, "killed while it learns from all rows");
  await killAt(id, "New fine-tuned model created");

  assert.deepEqual(await complete(id), reference);
  await checkCharges([undisturbed, id]);
});

test("a millrace-encoder-tiny job killed before and after its checkpoint ends in the same bits", async () => {
  const encoder: JobRequest = { model: "millrace-encoder-tiny", training: rowsOf(8), epochs: 2, batch: 4 };
  const reference = await complete(await shop.submit(encoder));
  const id = await shop.submit(encoder);
  await killAt(id, "training loss");
  await killAt(id, "New fine-tuned model created");
  assert.equal((await shop.job(id)).latest_checkpoint?.step, 6);
  assert.deepEqual(await complete(id), reference);
});

test("a worker killed between its last write and the answer has finished the job", async () => {
  const id = await shop.submit({ training: rowsOf(4) });
  const last = shop.gate.hold(telling(id, "New fine-tuned model created"));
  const worker = await shop.work(settings);
  (await last).release();
  await worker.end("SIGKILL");
  const next = await shop.work(settings);
  await until(() => shop.empty(), { what: "its message to be gone" });
  await next.end("SIGTERM");
  const messages = (await shop.events(id)).map(({ message }) => message);
  assert.deepEqual(messages.slice(-2), [
    `New fine-tuned model created: ${(await shop.job(id)).fine_tuned_model}`,
    "The job has successfully completed",
  ]);
});
