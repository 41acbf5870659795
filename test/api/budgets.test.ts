/** What a project may spend in a month holds, whoever asks for how much at once. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import OpenAI from "openai-v6";
import type { BudgetQuote } from "../../shared/schemas/budget.ts";
import { settleWrite } from "../../shared/stores/budgets.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";

let cloud: Deployment;
let admin: OpenAI;
let training_file: string;
before(async () => {
  cloud = await deploy();
  admin = new OpenAI({ apiKey: cloud.a.key, adminAPIKey: cloud.a.adminKey, baseURL: cloud.baseURL, maxRetries: 0 });
  const file = new File(
    [
      rowsOf(20)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(""),
    ],
    "rows.jsonl",
  );
  training_file = (await cloud.client().files.create({ file, purpose: "fine-tune" })).id;
});
after(() => cloud.close());

const limits = () => admin.admin.organization.projects.spendLimit;
const id = () => cloud.a.project.id;
const limitTo = (threshold_amount: number) =>
  limits().update(id(), { currency: "USD", interval: "month", threshold_amount });
const ask = () => cloud.client().fineTuning.jobs.create({ model: "millrace-ngram", training_file });
const quote = async () => {
  const body = { model: "millrace-ngram", training_file, validate_only: true };
  return (await cloud.client().post("/fine_tuning/jobs", { body })) as Record<string, never> & {
    price: { value: number };
  };
};
const jobs = () => cloud.stores.jobs.list(id(), { limit: 1000 });
const reserved = async () => (await limits().retrieve(id())) as unknown as { reserved_amount: number };

beforeEach(async () => {
  for (const job of await jobs()) {
    if (job.status !== "cancelled") await cloud.client().fineTuning.jobs.cancel(job.id);
  }
});

test("the SDK sets, reads and takes back a limit", async () => {
  await assert.rejects(limits().retrieve(id()), { status: 404 });
  const set = await limitTo(12.5);
  assert.deepEqual(set, {
    ...{ object: "project.spend_limit", threshold_amount: 12.5, currency: "USD", interval: "month" },
    ...{ enforcement: { status: "inactive" }, spent_amount: 0, reserved_amount: 0 },
  });
  assert.deepEqual(await limits().retrieve(id()), set);
  await assert.rejects(limits().update(id(), { currency: "EUR" as "USD", interval: "month", threshold_amount: 1 }), {
    status: 400,
  });
  await assert.rejects(limits().retrieve(cloud.b.project.id), { status: 404 });
  assert.deepEqual(await limits().delete(id()), { object: "project.spend_limit.deleted", deleted: true });
  await assert.rejects(limits().delete(id()), { status: 404 });
});

test("a job that does not fit is refused with its price, and nothing of it is kept", async () => {
  const before = await jobs();
  await limitTo(0);
  const error = await ask().then(
    () => assert.fail("it was accepted"),
    (cause: InstanceType<typeof OpenAI.APIError>) => cause,
  );
  assert.equal(error.status, 429);
  assert.equal(error.code, "insufficient_quota");
  assert.equal(error.type, "insufficient_quota");
  assert.equal(error.headers?.get("x-should-retry"), "false");
  assert.match(
    error.message,
    /expected to cost 0\.0\d+ USD \(about [\d,]+ tokens in \d+ seconds\); of this month's 0 USD/,
  );
  const { price, trained_tokens, estimated_seconds } = await quote();
  const nothing = { value: 0, currency: "usd" };
  assert.deepEqual(error.error, {
    ...{ message: error.message.replace("429 ", ""), type: "insufficient_quota", param: null },
    code: "insufficient_quota",
    quote: {
      ...{ price, tokens: trained_tokens, estimated_seconds },
      ...{ spend_limit: nothing, spent: nothing, reserved: nothing },
    },
  });
  assert.deepEqual(await jobs(), before);
  assert.equal((await reserved()).reserved_amount, 0);
  const batch = new File(['{"custom_id":"1","method":"POST","url":"/v1/decisions","body":{"model":"m"}}\n'], "b.jsonl");
  const { id: input_file_id } = await cloud.client().files.create({ file: batch, purpose: "batch" });
  const body = { input_file_id, endpoint: "/v1/decisions" as "/v1/responses", completion_window: "24h" as const };
  await assert.rejects(cloud.client().batches.create(body), (refused: InstanceType<typeof OpenAI.APIError>) => {
    assert.deepEqual([refused.status, refused.code], [429, "insufficient_quota"]);
    const { quote } = refused.error as { quote: BudgetQuote };
    assert.ok(quote.price.value > 0 && quote.tokens > 0);
    assert.equal(quote.estimated_seconds, null);
    return true;
  });
  assert.deepEqual(await cloud.stores.batches.list(id(), { limit: 10 }), []);
});

test("of twenty jobs at once as many are accepted as fit together, and an end makes room for another", async () => {
  const { price } = await quote();
  await limitTo(price.value * 100 * 3.5);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, ask));
  const accepted = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  assert.equal(accepted.length, 3);
  for (const { reason } of outcomes.filter((outcome) => outcome.status === "rejected")) {
    assert.equal(reason.code, "insufficient_quota");
    const { price: expected, spend_limit, spent, reserved } = (reason.error as { quote: BudgetQuote }).quote;
    assert.ok(expected.value + spent.value + reserved.value > spend_limit.value);
  }
  assert.ok(Math.abs((await reserved()).reserved_amount - price.value * 300) < 1e-6);
  await cloud.client().fineTuning.jobs.cancel(accepted[0]!.id);
  assert.ok(Math.abs((await reserved()).reserved_amount - price.value * 200) < 1e-6);
  await ask();
  await assert.rejects(ask(), { code: "insufficient_quota" });
});

test("calls of models are refused soon after nothing is left, and answered again when there is", async () => {
  await limitTo(0);
  const call = () => cloud.client().embeddings.create({ model: "nonsense", input: "hello" });
  const codeOf = () => call().then(String, (error: { code: string }) => error.code);
  await until(async () => (await codeOf()) === "insufficient_quota", { what: "the first refusal" });
  await limitTo(100);
  assert.equal(await codeOf(), "model_not_found");
});

test("what a job would find and cost is told, and nothing is made", async () => {
  const before = await jobs();
  const asked = {
    ...(await quote()),
    price: { value: 0, currency: "usd" },
    trained_tokens: 0,
    estimated_seconds: 0,
    estimated_start: 0,
    // Those that were cancelled a moment ago may count still.
    queue_position: 0,
  };
  assert.deepEqual(asked, {
    ...{ object: "fine_tuning.job.quote", model: "millrace-ngram", training_file, valid: true },
    ...{ errors: [], error_count: 0, warning_count: 0, training_rows: 54, validation_rows: 6 },
    ...{ trained_tokens: 0, estimated_seconds: 0, price: { value: 0, currency: "usd" }, measured_jobs: 0 },
    ...{ queue_position: 0, estimated_start: 0, within_spend_limit: true },
  });
  const bad = new File(['{"text":"a","label":"x"}\n{"text":"b"}\nnonsense\n'], "bad.jsonl");
  const { id: file } = await cloud.client().files.create({ file: bad, purpose: "fine-tune" });
  const body = { model: "millrace-ngram", training_file: file, validate_only: true };
  const found = (await cloud.client().post("/fine_tuning/jobs", { body })) as {
    valid: boolean;
    errors: { line: number; code: string; param: string }[];
  };
  assert.equal(found.valid, false);
  assert.deepEqual(
    found.errors.map(({ line, code, param }) => [param, line, code]),
    [
      ["training_file", 2, "missing_label"],
      ["training_file", 3, "invalid_json"],
    ],
  );
  assert.deepEqual(await jobs(), before);
  await assert.rejects(cloud.client().post("/fine_tuning/jobs", { body: { ...body, model: "nonsense" } }), {
    status: 404,
  });
});

test("a job that waits tells its place and its start", async () => {
  const first = (await ask()) as unknown as { id: string; queue_position: number; estimated_start: number };
  const second = (await ask()) as unknown as typeof first;
  assert.ok(first.queue_position >= 1);
  assert.equal(second.queue_position, first.queue_position + 1);
  assert.ok(second.estimated_start >= first.estimated_start);
  const cancelled = await cloud.client().fineTuning.jobs.cancel(first.id);
  assert.equal((cancelled as unknown as { queue_position: null }).queue_position, null);
});

test("settling what is settled changes nothing", () => {
  const row = { project_id: id(), id: "x" };
  assert.deepEqual(settleWrite(row), { type: "delete", key: { pk: `${id()}#reservation`, sk: "x" } });
});
