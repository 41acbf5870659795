/** A job on `millrace-auto`, with a starter base and without, and with workers that die in the race and behind it. */
import assert from "node:assert/strict";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importBase } from "../../infra/models/importBase.ts";
import type { RaceReport } from "../../shared/engine/race/report.ts";
import { usualPrices } from "../../shared/pricing/prices.ts";
import { createModelHost } from "../../shared/serving/host.ts";
import { writeTinyBase } from "../support/tinyBase.ts";
import { rowsOf } from "../support/trainingData.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

/** With a label that is plainly wrong. */
const wrong = 17;
const rows = rowsOf(70).map((row, i) => (i === wrong ? { ...row, label: "billing" } : row));
/** Too few for anybody to be tuned. */
const few = rows.slice(0, 90);
const texts = rows.map(({ text }) => text);
const request = { training: rows, model: "millrace-auto", epochs: 3, batch: 16 };
const settings = { MILLRACE_CHECKPOINT_STEPS: "6", MILLRACE_SWEEP_SECONDS: "0.25" };

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

async function resultsOf(id: string): Promise<Map<string, string>> {
  const client = shop.client();
  const { result_files } = await client.fineTuning.jobs.retrieve(id);
  const files = await Promise.all(result_files.map((file) => client.files.retrieve(file)));
  const contents = await Promise.all(files.map(async (file) => (await client.files.content(file.id)).text()));
  return new Map(files.map(({ filename }, i) => [filename, contents[i]!]));
}

test("without a starter base n-grams run alone, and the report names doubtful labels by their lines", async () => {
  const id = await shop.submit({ ...request, training: few });
  const worker = await shop.work(settings);
  const job = await shop.finished(id, 90);
  await worker.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  const model = (await shop.stores.models.get(shop.a.project.id, job.fine_tuned_model!))!;
  assert.equal(model.base_model, "millrace-auto");
  assert.equal(model.base, undefined);
  const messages = (await shop.events(id)).map(({ message }) => message);
  assert.ok(messages.some((message) => message.includes("no starter base")));
  const files = await resultsOf(id);
  assert.deepEqual([...files.keys()].sort(), [
    "auto_report.json",
    "auto_report.md",
    "label_suspects.csv",
    "step_metrics.csv",
  ]);
  const report = JSON.parse(files.get("auto_report.json")!) as RaceReport;
  assert.deepEqual([report.winner, report.candidates.length, report.rows], ["ngram", 1, few.length]);
  const { seconds, cost } = report.candidates[0] as RaceReport["candidates"][number] & { cost: object };
  const { per_hour } = usualPrices.prices.find(({ kind }) => kind === "fine_tuning")!;
  const expected = { value: Math.round(((seconds * per_hour) / 3600) * 1e9) / 1e9, currency: usualPrices.currency };
  assert.deepEqual(cost, expected, "as an hour of a job costs");
  assert.match(files.get("auto_report.md")!, /^# The model that was chosen: ngram\n/);
  assert.match(files.get("label_suspects.csv")!, new RegExp(`^${wrong + 1},billing,`, "m"));
});

test("a worker killed in the race and one killed behind it leave what they found: the same model to the bit", async () => {
  const directory = await mkdtemp(join(shop.home, "base-"));
  await writeTinyBase(directory, texts, 1);
  const files = await readdir(directory);
  const { record } = await importBase(shop.stores, { id: "millrace-embed-en", directory, files, replace: false });
  const undisturbed = await shop.submit(request);
  const worker = await shop.work(settings);
  const reference = await shop.modelDigest(await shop.finished(undisturbed, 90));
  await worker.end("SIGTERM");

  const id = await shop.submit(request);
  for (const words of ["Race: heat", "Checkpoint created at step 12"]) {
    const held = shop.gate.hold(telling(id, words));
    const doomed = await shop.work(settings);
    await held;
    await doomed.end("SIGKILL");
  }
  const successor = await shop.work(settings);
  const job = await shop.finished(id, 90);
  await successor.end("SIGTERM");
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  assert.equal(await shop.modelDigest(job), reference);
  const messages = (await shop.events(id)).map(({ message }) => message);
  const told = (start: string) => messages.filter((message) => message.startsWith(start)).length;
  assert.deepEqual([told("Race: ngram"), told("Race: frozen"), told("Race won")], [1, 1, 1], "nobody ran twice");

  const model = (await shop.stores.models.get(shop.a.project.id, job.fine_tuned_model!))!;
  assert.equal(job.base?.digest, record.digest);
  const host = createModelHost(shop.stores.objects, { threads: 1 });
  const answers = await host.classify(model, texts);
  await host.close();
  const right = answers.filter(({ labels, probabilities }, row) => {
    return labels[probabilities.indexOf(Math.max(...probabilities))] === rows[row]!.label;
  });
  assert.ok(right.length > 0.9 * rows.length, `${right.length} of ${rows.length} right`);
});
