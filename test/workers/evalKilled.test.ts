/** Workers killed in the middle of an eval run: no item is lost, and none is graded twice; and a cancelled run ends at once. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import { asking, evalsOf, rightLabel } from "../support/evals.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
  // So that what each run may cost is reserved.
  await shop.stores.budgets.setLimit(shop.a.project.id, 1e12, []);
});
after(() => shop.close());

const rows = rowsOf(4);
const items = Array.from({ length: 150 }, (_, i) => ({ ...rows[i % rows.length]!, number: i }));
/** The write that makes a part count. */
const storesPart = ({ body }: { body: string }) => body.includes('"next_item"') && body.includes("TransactItems");
const impatient = { MILLRACE_SWEEP_SECONDS: "0.25", MILLRACE_LEASE_SECONDS: "1" };

test("a run whose workers are killed in the act grades every item once, in order; cancelling ends another at once", async () => {
  const job = await shop.submit({ training: rows, epochs: 1 });
  const first = await shop.work(impatient);
  const model = (await shop.finished(job)).fine_tuned_model!;
  const { client, make } = evalsOf(shop, fakeHost());
  const { id: eval_id } = await make([rightLabel], { data_source_config: { type: "custom", item_schema: {} } });
  const ask = () => client.evals.runs.create(eval_id, { data_source: asking(model, items) });
  const outputs = async (run_id: string) => {
    const found: OpenAI.Evals.Runs.OutputItemListResponse[] = [];
    for await (const item of client.evals.runs.outputItems.list(run_id, { eval_id, limit: 100 })) found.push(item);
    return found;
  };

  const partly = shop.gate.hold(storesPart);
  const run = await ask();
  const stored = await partly;
  // Its first part is to count; its second never reaches the table.
  const second = shop.gate.hold(storesPart);
  stored.release();
  await second;
  await first.end("SIGKILL");
  const row = async () => (await shop.stores.evalRuns.get(shop.a.project.id, run.id))!;
  const before = await row();
  assert.equal((await outputs(run.id)).length, before.next_item);
  assert.ok(before.next_item > 0 && before.next_item < items.length);

  const next = await shop.work(impatient);
  await until(async () => (await row()).status === "completed", { what: "the run to be completed" });
  const found = await outputs(run.id);
  assert.deepEqual(
    found.map(({ datasource_item }) => datasource_item.number),
    items.map(({ number }) => number),
  );
  assert.deepEqual(
    found.map(({ datasource_item_id }) => datasource_item_id),
    items.map((_, i) => i),
  );
  const done = await client.evals.runs.retrieve(run.id, { eval_id });
  const passed = found.filter(({ status }) => status === "pass").length;
  assert.deepEqual(done.result_counts, { total: 150, passed, failed: 150 - passed, errored: 0 });
  assert.equal(done.per_model_usage[0]!.invocation_count, items.length);
  const records = await Array.fromAsync(shop.stores.usage.stream(shop.a.project.id, 0, 1e10));
  const asked = records.filter(({ kind }) => kind === "decisions");
  const sum = (of: "requests" | "input_tokens" | "nanos") => asked.reduce((total, each) => total + each[of], 0);
  assert.equal(sum("requests"), items.length);
  assert.equal(sum("input_tokens"), done.per_model_usage[0]!.prompt_tokens);
  const { receipt, reserved_nanos } = await row();
  assert.equal(Math.round(receipt!.price.value * 1e9), sum("nanos"));
  assert.ok(reserved_nanos! > 0);
  assert.deepEqual(await shop.stores.budgets.reservations(shop.a.project.id), []);

  const held = shop.gate.hold(storesPart);
  const other = await ask();
  const late = await held;
  assert.equal((await client.evals.runs.cancel(other.id, { eval_id })).status, "canceled");
  late.release();
  await until(() => shop.empty(), { what: "its message to be gone" });
  assert.deepEqual(await outputs(other.id), [], "nothing counts after a cancellation");
  assert.deepEqual(await shop.stores.budgets.reservations(shop.a.project.id), []);
  await next.end("SIGTERM");
});
