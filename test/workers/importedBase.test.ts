/** A job on an imported base, from the checkpoint's folder to an answer, with workers that die and bases that change. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { baseDigest } from "../../shared/schemas/base.ts";
import { createModelHost } from "../../shared/serving/host.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
import { writeTinyBase } from "../support/tinyBase.ts";
import { rowsOf } from "../support/trainingData.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

const rows = rowsOf(30);
let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

/** Stores a base as an operator's import does; another seed makes another content. */
async function importBase(id: string, seed: number): Promise<string> {
  const directory = await mkdtemp(join(shop.home, "base-"));
  await writeTinyBase(
    directory,
    rows.map(({ text }) => text),
    seed,
  );
  const names = await readdir(directory);
  const files = await Promise.all(
    names.map(async (name) => {
      const object_key = objectKeys.base(id, `seed-${seed}`, name);
      return { name, object_key, ...(await shop.stores.objects.putFile(object_key, join(directory, name))) };
    }),
  );
  await rm(directory, { recursive: true });
  const digest = baseDigest(files);
  const record = {
    id,
    object: "model" as const,
    created: 1,
    owned_by: "operator",
    architecture: "pretrained" as const,
  };
  const earlier = await shop.stores.bases.get(id);
  const row = { ...record, digest, files };
  assert.ok(earlier ? await shop.stores.bases.replace(row, earlier.digest) : await shop.stores.bases.create(row));
  return digest;
}

const request = { training: rows, model: "tiny-bert", epochs: 8, batch: 8, rate: 10 };

test("a job on an imported base survives a killed worker and another content under the name, and its model answers", async () => {
  const digest = await importBase("tiny-bert", 1);
  const undisturbed = await shop.submit(request);
  const worker = await shop.work();
  const reference = await shop.modelDigest(await shop.finished(undisturbed));
  await worker.end("SIGTERM");

  const id = await shop.submit(request);
  const held = shop.gate.hold(telling(id, "training loss"));
  const doomed = await shop.work();
  await held;
  await doomed.end("SIGKILL");
  assert.notEqual(await importBase("tiny-bert", 2), digest);
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
  await importBase("too-large", 4);
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
  await importBase("short-lived", 3);
  const id = await shop.submit({ ...request, model: "short-lived" });
  await shop.stores.bases.delete("short-lived");
  const worker = await shop.work();
  const job = await shop.finished(id);
  await worker.end("SIGTERM");
  assert.equal(job.status, "failed");
  assert.equal(job.error?.code, "model_not_found");
  assert.equal(job.failures, 0);
});
