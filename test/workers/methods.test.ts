/** Jobs that learn without labels of people: bases that go on learning from texts, and models that learn from a teacher. */
import assert from "node:assert/strict";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importBase } from "../../infra/models/importBase.ts";
import type { JobRecord } from "../../shared/schemas/fineTuningJob.ts";
import { createModelHost, type ModelHost } from "../../shared/serving/host.ts";
import { writeTinyBase } from "../support/tinyBase.ts";
import { rowsOf } from "../support/trainingData.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

const rows = rowsOf(40);
const texts = rows.map(({ text }) => text);
let shop: Workshop;
let host: ModelHost;
before(async () => {
  shop = await openWorkshop();
  host = createModelHost(shop.stores.objects, { threads: 1 });
  const directory = await mkdtemp(join(shop.home, "base-"));
  await writeTinyBase(directory, texts);
  await importBase(shop.stores, { id: "tiny-bert", directory, files: await readdir(directory), replace: false });
});
after(async () => {
  await host.close();
  await shop.close();
});

const modelOf = async ({ fine_tuned_model }: JobRecord) =>
  (await shop.stores.models.get(shop.a.project.id, fine_tuned_model!))!;

async function resultOf(job: JobRecord, filename: string): Promise<Record<string, unknown>> {
  for (const id of job.result_files) {
    const file = (await shop.stores.files.get(job.project_id, id))!;
    if (file.filename === filename) return (await (await shop.fetch(`/v1/files/${id}/content`)).json()) as never;
  }
  throw new Error(`The job has no ${filename}`);
}

test("a base pre-trained on texts is the project's own: killed on its way it ends the same, is called, and is tuned", async () => {
  const request = { training: texts.map((text) => ({ text })), model: "tiny-bert", epochs: 12, batch: 2, rate: 20 };
  const pretraining = { ...request, method: { type: "pretrain", contrastive: true } as const };
  const undisturbed = await shop.submit(pretraining);
  const worker = await shop.work();
  const reference = await shop.finished(undisturbed);
  assert.equal(reference.status, "succeeded", JSON.stringify(reference.error));
  await worker.end("SIGTERM");

  const id = await shop.submit(pretraining);
  const held = shop.gate.hold(telling(id, "Checkpoint created at step 6"));
  const doomed = await shop.work({ MILLRACE_CHECKPOINT_STEPS: "3" });
  await held;
  await doomed.end("SIGKILL");
  await shop.work();
  const job = await shop.finished(id);
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  const messages = (await shop.events(id)).map(({ message }) => message);
  assert.ok(messages.includes("Checkpoint created at step 3"), messages.join("\n"));
  assert.ok(messages.some((message) => /texts, of which .* are held out/.test(message)));
  assert.equal(await shop.modelDigest(job), await shop.modelDigest(reference));

  const { perplexity } = (await resultOf(job, "pretraining.json")) as { perplexity: { before: number; after: number } };
  assert.ok(perplexity.after < perplexity.before, JSON.stringify(perplexity));
  const tuned = await shop.finished(await shop.submit({ training: rows, model: job.fine_tuned_model!, epochs: 1 }));
  assert.equal(tuned.status, "succeeded", JSON.stringify(tuned.error));
  assert.match(tuned.fine_tuned_model!, /^ft:tiny-bert:acme::/);
  const model = await modelOf(tuned);
  assert.equal(model.base?.digest, (await modelOf(job)).digest);
  assert.equal((await host.classify(model, texts.slice(0, 2))).length, 2);
});

test("a pre-trained base is nobody else's", async () => {
  const [own] = (await shop.stores.models.list(shop.a.project.id, { limit: 10 })).filter(({ kind }) => kind === "base");
  const asStranger = shop.client({ apiKey: shop.keys.b });
  await assert.rejects(asStranger.embeddings.create({ model: own!.id, input: "x" }), { status: 404 });
  await assert.rejects(asStranger.models.retrieve(own!.id), { status: 404 });
});

test("a student learns what its teacher says of texts, and the result file holds both beside each other", async () => {
  await shop.work();
  const taught = await shop.finished(await shop.submit({ training: rows, epochs: 20 }));
  const method = { type: "distill", teacher: taught.fine_tuned_model! } as const;
  const training = rows.map(({ text, label }, i) => (i % 2 ? { text } : { text, label }));
  const job = await shop.finished(await shop.submit({ training, epochs: 20, method, seed: 3 }));
  assert.equal(job.status, "succeeded", JSON.stringify(job.error));
  const [teacher, student] = [await modelOf(taught), await modelOf(job)];
  const answers = async (model: typeof teacher) =>
    (await host.classify(model, texts)).map(({ labels, probabilities }) => {
      return labels[probabilities.indexOf(Math.max(...probabilities))]!;
    });
  const [said, learned] = [await answers(teacher), await answers(student)];
  const alike = said.filter((label, i) => label === learned[i]).length / said.length;
  assert.ok(alike > 0.9, `${alike} alike`);
  const records = await Array.fromAsync(shop.stores.usage.stream(shop.a.project.id, 0, 1e10));
  const asked = records.filter(({ model }) => model === teacher.id);
  assert.deepEqual(
    asked.map(({ id, kind, requests }) => [id.startsWith(job.id), kind, requests]),
    [[true, "decisions", 1]],
  );
  assert.ok(asked[0]!.input_tokens > 0 && job.receipt!.tokens === job.trained_tokens);
  const report = await resultOf(job, "distillation.json");
  const { before, after, agreement } = report as Record<string, { model: string; bytes: number; accuracy: number }>;
  assert.deepEqual([before!.model, after!.model], [teacher.id, student.id]);
  assert.deepEqual([before!.bytes, after!.bytes], [teacher.bytes, student.bytes]);
  assert.ok(Number(agreement) > 0.5 && before!.accuracy > 0.5 && after!.accuracy > 0.5, JSON.stringify(report));
});

test("what a method cannot begin with is refused before anything is queued", async () => {
  const refused = async (request: Parameters<Workshop["submit"]>[0], param: string) => {
    await assert.rejects(shop.submit(request), (error: { status: number; param: string }) => {
      assert.deepEqual([error.status >= 400 && error.status < 500, error.param], [true, param]);
      return true;
    });
  };
  const unlabelled = { training: [{ text: "a" }] };
  await refused({ ...unlabelled, method: { type: "pretrain" } }, "model");
  await refused(
    { ...unlabelled, model: "tiny-bert", validation: "{}", method: { type: "pretrain" } },
    "validation_file",
  );
  await refused({ ...unlabelled, method: { type: "distill" } }, "method.distill.teacher");
  await refused({ ...unlabelled, method: { type: "distill", teacher: "ft:none" } }, "method.distill.teacher");
  await refused({ ...unlabelled, method: { type: "distill", teacher: "x" } }, "method.distill.teacher");
});
