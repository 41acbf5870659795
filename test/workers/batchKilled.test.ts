/** Workers killed in the middle of a batch: no line is lost, and none is in the output twice. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { batchesOf, decisionLine } from "../support/batches.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

const requests = 1_600;

/** The write that makes a part count. */
const storesPart = ({ body }: { body: string }) => body.includes('"next_line"');

test("a batch whose workers are killed in the act, one after the other, answers every line once, in order", async () => {
  const job = await shop.submit({ training: rowsOf(4) });
  const { client, create, lines } = batchesOf(shop);
  const impatient = { MILLRACE_SWEEP_SECONDS: "0.25" };
  const first = await shop.work(impatient);
  const model = (await shop.finished(job)).fine_tuned_model!;
  const questions = [{ type: "choice", instructions: "?", choices: [{ value: "billing" }, { value: "account" }] }];
  const bodyOf = (i: number) => ({ model, input: i % 2 ? "my invoice" : "my password", questions });
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
  await last.end("SIGTERM");
  const done = await client.batches.retrieve(batch.id);
  assert.deepEqual(done.request_counts, { total: requests + 1, completed: requests, failed: 1 });
  const answers = await lines(done.output_file_id);
  assert.deepEqual(
    answers.map(({ custom_id }) => custom_id),
    requested.map(({ custom_id }) => custom_id),
  );
  assert.ok(answers.every(({ response }, i) => response?.body.answers[0].choice === (i % 2 ? "billing" : "account")));
  assert.deepEqual(
    (await lines(done.error_file_id)).map(({ custom_id }) => custom_id),
    ["stranger"],
  );
  const read = answers.reduce((sum, { response }) => sum + response!.body.usage.total_tokens, 0);
  assert.equal(done.usage?.total_tokens, read);
});
