/** Workers killed in the middle of a batch: no line is lost, and none is in the output twice; and a worker answers for the API. */
import assert from "node:assert/strict";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importBase } from "../../infra/models/importBase.ts";
import { batchesOf, decisionLine } from "../support/batches.ts";
import { writeTinyBase } from "../support/tinyBase.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop({ heavyBytes: 1 });
});
after(() => shop.close());

const requests = 1_600;
const rows = rowsOf(4);

interface Answered {
  answers: { choice: string; confidence: number }[];
}

async function addBase(): Promise<void> {
  const directory = await mkdtemp(join(shop.home, "base-"));
  const texts = rows.map(({ text }) => text);
  await writeTinyBase(directory, texts);
  await importBase(shop.stores, { id: "tiny-bert", directory, files: await readdir(directory), replace: false });
}

/** The write that makes a part count. */
const storesPart = ({ body }: { body: string }) => body.includes('"next_line"');

test("a batch whose workers are killed in the act, one after the other, answers every line once, in order", async () => {
  await addBase();
  const job = await shop.submit({ training: rows, model: "tiny-bert", epochs: 1, batch: 8 });
  const { client, create, lines } = batchesOf(shop);
  const impatient = { MILLRACE_SWEEP_SECONDS: "0.25", MILLRACE_LEASE_SECONDS: "1" };
  const first = await shop.work(impatient);
  const model = (await shop.finished(job)).fine_tuned_model!;
  const questions = [{ type: "choice", instructions: "?", choices: [{ value: "billing" }, { value: "account" }] }];
  const bodyOf = (i: number) => ({ model, input: rows[i % rows.length]!.text, questions });
  const requested = Array.from({ length: requests }, (_, i) => decisionLine(`r${i}`, model, "", { body: bodyOf(i) }));

  const partly = shop.gate.hold(storesPart);
  const batch = await create([...requested, decisionLine("stranger", "no-such-model", "x")]);
  const stored = await partly;
  // Its first part is to count, its second is stored and will never be named.
  const second = shop.gate.hold(storesPart);
  stored.release();
  await second;
  const next = await shop.work(impatient);
  await first.end("SIGKILL");
  const row = () => shop.stores.batches.get(shop.a.project.id, batch.id);
  assert.equal((await row())!.parts.length, 1);

  await shop.gate.hold(telling(batch.id, "output_file_id"));
  await next.end("SIGKILL");
  assert.equal((await row())!.status, "finalizing");

  const last = await shop.work(impatient);
  await until(async () => (await row())!.status === "completed", { what: "the batch to be completed" });
  await until(() => shop.empty(), { what: "its messages to be gone" });
  const asked = await client.post<Answered>("/decisions", { body: bodyOf(0), maxRetries: 2 });
  await last.end("SIGTERM");
  const done = await client.batches.retrieve(batch.id);
  assert.deepEqual(done.request_counts, { total: requests + 1, completed: requests, failed: 1 });
  const charged = await Array.fromAsync(shop.stores.usage.stream(shop.a.project.id, 0, 1e10));
  const ofBatch = charged.filter(({ is_batch }) => is_batch);
  const total = (field: "requests" | "input_tokens") => ofBatch.reduce((sum, record) => sum + record[field], 0);
  assert.deepEqual([total("requests"), total("input_tokens")], [requests, done.usage!.input_tokens]);
  assert.equal(charged.filter(({ kind, is_batch }) => kind === "decisions" && !is_batch).length, 1, "by the queue");
  const answers = await lines(done.output_file_id);
  assert.deepEqual(
    answers.map(({ custom_id }) => custom_id),
    requested.map(({ custom_id }) => custom_id),
  );
  // Texts of other lengths beside it in a batch on the device may move an answer's last digits.
  const answerOf = ({ answers: [answer] }: Answered) => [answer!.choice, answer!.confidence.toFixed(4)];
  for (const [i, { response }] of answers.entries()) {
    assert.deepEqual(answerOf(response?.body), answerOf(answers[i % rows.length]!.response?.body), `line ${i}`);
  }
  assert.deepEqual(answerOf(asked), answerOf(answers[0]!.response?.body), "the same at once, by the queue");
  assert.deepEqual(
    (await lines(done.error_file_id)).map(({ custom_id }) => custom_id),
    ["stranger"],
  );
  const read = answers.reduce((sum, { response }) => sum + response!.body.usage.total_tokens, 0);
  assert.equal(done.usage?.total_tokens, read);
});
