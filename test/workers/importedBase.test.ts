/** A job on an imported base, from the checkpoint's folder to an answer, with workers that die and bases that change. */
import assert from "node:assert/strict";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importBase } from "../../infra/models/importBase.ts";
import { createModelHost } from "../../shared/serving/host.ts";
import { writeTinyBase } from "../support/tinyBase.ts";
import { rowsOf } from "../support/trainingData.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

const rows = rowsOf(30);
let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

/** As an operator does; another seed makes another content. */
async function addBase(id: string, seed: number): Promise<string> {
  const directory = await mkdtemp(join(shop.home, "base-"));
  const texts = rows.map(({ text }) => text);
  await writeTinyBase(directory, texts, seed);
  const { record } = await importBase(shop.stores, { id, directory, files: await readdir(directory), replace: true });
  return record.digest;
}

const request = { training: rows, model: "tiny-bert", epochs: 8, batch: 8, rate: 10 };

test("a job on an imported base survives a killed worker and another content under the name, and its model answers", async () => {
  const digest = await addBase("tiny-bert", 1);
  const undisturbed = await shop.submit(request);
  const worker = await shop.work();
  const reference = await shop.modelDigest(await shop.finished(undisturbed));
  await worker.end("SIGTERM");

  const id = await shop.submit(request);
  const held = shop.gate.hold(telling(id, "training loss"));
  const doomed = await shop.work();
  await held;
  await doomed.end("SIGKILL");
  assert.notEqual(await addBase("tiny-bert", 2), digest);
  const successor = await shop.work();
  const job = await shop.finished(id);
  await successor.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  assert.equal(await shop.modelDigest(job), reference);
  const model = (await shop.stores.models.get(shop.a.project.id, job.fine_tuned_model!))!;
  assert.equal(model.base?.digest, digest);

  await shop.stores.bases.delete("tiny-bert");
  const host = createModelHost(shop.stores.objects, { threads: 1 });
  const answers = await host.classify(
    model,
    rows.map(({ text }) => text),
  );
  await host.close();
  const right = answers.filter(({ labels, probabilities }, row) => {
    return labels[probabilities.indexOf(Math.max(...probabilities))] === rows[row]!.label;
  });
  assert.ok(right.length > 0.8 * rows.length, `${right.length} of ${rows.length} right`);
});

test("a base that does not fit into the device's memory fails the job at once, and says what takes the room", async () => {
  await addBase("too-large", 4);
  const id = await shop.submit({ ...request, model: "too-large" });
  const worker = await shop.work({ MILLRACE_DEVICE_MEMORY_BYTES: String(100 * 2 ** 20) });
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "failed");
  assert.equal(job.error?.code, "insufficient_memory");
  assert.match(job.error!.message, /^one row at a time needs \d+ MiB of 100 MiB: .*parameters/);
  assert.equal(job.failures, 0);
});

test("a base that is gone when the job's turn comes fails the job at once, by name", async () => {
  await addBase("short-lived", 3);
  const id = await shop.submit({ ...request, model: "short-lived" });
  await shop.stores.bases.delete("short-lived");
  const worker = await shop.work();
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "failed");
  assert.equal(job.error?.code, "model_not_found");
  assert.equal(job.failures, 0);
});
