/** The checks of the reliability suite see each violation that is planted, and none where all is well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newId } from "../../shared/ids.ts";
import type { UsageRecord } from "../../shared/schemas/usage.ts";
import type { BatchFacts, Violation } from "./reliabilityChecks.ts";
import * as checks from "./reliabilityChecks.ts";
import { logLines } from "./reliabilityFacts.ts";
import { type Attempt, Ledger } from "./reliabilityLedger.ts";
import { moneyAddsUp, type ToldMoney } from "./reliabilityMoney.ts";

const kinds = (found: readonly Violation[]) => found.map(({ kind }) => kind);
const player = (marker: string) => ({ marker, project: newId("project"), organization: newId("organization") });
const zebra = player("zebra");
const heron = player("heron");
const path = "/v1/chat/completions";
const asked = (changes: Partial<Attempt> = {}): Attempt & { status: number } => {
  return {
    marker: "zebra",
    method: "POST",
    path,
    requestId: newId("request"),
    ...changes,
    status: changes.status ?? 200,
  };
};
const body = { model: "ft:a", usage: { prompt_tokens: 7, completion_tokens: 2 } };
const charge = (id: string, changes: Partial<UsageRecord> = {}): UsageRecord => ({
  ...{ id, kind: "completions", model: "ft:a", api_key_id: null, is_batch: false, requests: 1, milliseconds: 0 },
  ...{ input_tokens: 7, output_tokens: 2, nanos: 5, created_at: 1_790_000_000, ...changes },
});

test("what was acknowledged and is gone is lost, and what nobody asked for is there twice", () => {
  const check = (found: string[], unacknowledged = 0) =>
    kinds(checks.isThereOnce("job", { acknowledged: ["a", "b"], found, unacknowledged }));
  assert.deepEqual(check(["a", "b"]), []);
  assert.deepEqual(check(["a"]), ["lost"]);
  assert.deepEqual(check(["a", "b", "c"]), ["twice"]);
  assert.deepEqual(check(["a", "b", "c"], 1), []);
});

test("an answer is charged once and as it was answered; beyond answers only requests that nobody heard of", () => {
  const ledger = new Ledger([zebra, heron]);
  const one = asked();
  ledger.hear(one, JSON.stringify(body));
  const [id, x, y] = [one.requestId!, newId("request"), newId("request")];
  const check = (...records: UsageRecord[]) => kinds(checks.chargedOnce("zebra", ledger, records));
  assert.deepEqual(check(charge(id)), []);
  assert.deepEqual(check(), ["lost"]);
  assert.deepEqual(check(charge(id), charge(id)), ["twice"]);
  assert.deepEqual(check(charge(id, { input_tokens: 8 })), ["wrong"]);
  assert.deepEqual(check(charge(id), charge(x)), ["twice"]);
  ledger.attempts.push({ ...asked(), status: null, requestId: null });
  assert.deepEqual(check(charge(id), charge(x)), []);
  assert.deepEqual(check(charge(id), charge(x), charge(y)), ["twice"]);
  const stream = (events: string) => ledger.hear(asked({ requestId: newId("request") }), events);
  stream('data: {"error":{}}\n\ndata: [DONE]\n\n');
  assert.deepEqual(check(charge(id), charge(x), charge(y)), []);
  stream("data: {}\n\ndata: [DONE]\n\n");
  assert.deepEqual(check(charge(id)), ["lost"]);
});

test("totals that are not the sums of the records, and what stays reserved, are told", () => {
  const created_at = 1_790_000_000;
  const records = [charge("req_1"), charge("attempt_1", { kind: "fine_tuning", output_tokens: 0, nanos: 3 })];
  const told: ToldMoney = {
    usage: {
      completions: { requests: 1, input_tokens: 7, output_tokens: 2 },
      fine_tuning: { requests: 1, input_tokens: 7, output_tokens: 0 },
    },
    ...{ cost: 8, spent: 8, since: created_at, reserved: 0 },
  };
  const check = (changes: Partial<ToldMoney>) => moneyAddsUp("zebra", { ...told, ...changes }, records).length;
  assert.equal(check({}), 0);
  assert.equal(
    check({ usage: { ...told.usage, completions: { requests: 2, input_tokens: 14, output_tokens: 2 } } }),
    2,
  );
  assert.equal(check({ usage: { completions: told.usage.completions! } }), 2);
  assert.equal(check({ cost: 9 }), 1);
  assert.equal(check({ spent: 7 }), 1);
  assert.equal(check({ spent: 0, since: created_at + 1 }), 0);
  assert.equal(check({ reserved: 1 }), 1);
});

test("receipts and records of training that differ are told, and a job that is not charged for all it learnt", () => {
  const job = {
    id: "ftjob-1",
    status: "succeeded",
    trained_tokens: 90,
    receipt: { tokens: 90, price: { value: 3e-9 } },
  };
  const record = charge("attempt_1", { kind: "fine_tuning", input_tokens: 90, output_tokens: 0, nanos: 3 });
  const check = (jobs: (typeof job)[], ...records: UsageRecord[]) =>
    kinds(checks.receiptsAddUp("zebra", jobs, records));
  assert.deepEqual(check([job], record), []);
  assert.deepEqual(check([job], record, { ...record, requests: 0, nanos: 0 }), ["twice"]);
  assert.deepEqual(check([job], { ...record, nanos: 4 }), ["twice"]);
  assert.deepEqual(check([{ ...job, trained_tokens: 91 }], record), ["wrong"]);
});

test("a batch without a line's result, with two of one, a stranger's, a refused one or another count of charges is told", () => {
  const output = ["a", "b"].map((custom_id) => ({ custom_id, label: "zebra-billing" }));
  const whole: BatchFacts = {
    ...{ id: "batch_1", status: "completed", custom_ids: ["a", "b"], output, errors: [] },
    ...{ labels: ["zebra-billing"], charged: 2 },
  };
  const check = (changes: Partial<BatchFacts>) => kinds(checks.batchIsWhole({ ...whole, ...changes }));
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ status: "failed" }), ["lost"]);
  assert.deepEqual(check({ output: output.slice(1), charged: 1 }), ["lost"]);
  assert.deepEqual(check({ output: [...output, output[0]!], charged: 3 }), ["twice"]);
  assert.deepEqual(check({ output: [...output, { custom_id: "c", label: "zebra-billing" }], charged: 3 }), ["crossed"]);
  assert.deepEqual(check({ output: [output[0]!, { custom_id: "b", label: "heron-billing" }] }), ["crossed"]);
  assert.deepEqual(
    check({ output: output.slice(1), errors: [{ custom_id: "a", code: "internal_error" }], charged: 1 }),
    ["wrong"],
  );
  assert.deepEqual(check({ charged: 3 }), ["twice"]);
  assert.deepEqual(check({ charged: 1 }), ["lost"]);
});

test("a 5xx without an id, without a line of the log, or without its cause is not explained", () => {
  const [id, other] = [newId("request"), newId("request")];
  const failed = { msg: "failed", request_id: id, err: { message: "why" } };
  const check = (attempts: Attempt[], log: object[]) => {
    const text = log.map((line) => JSON.stringify(line)).join("\n");
    return kinds(checks.isExplained(attempts, logLines(`${text}\n{"half`)));
  };
  assert.deepEqual(check([asked({ status: 500, requestId: id })], [failed]), []);
  assert.deepEqual(check([asked({ status: 500, requestId: null })], [failed]), ["unexplained"]);
  assert.deepEqual(check([asked({ status: 503, requestId: other })], [failed]), ["unexplained"]);
  assert.deepEqual(check([asked({ status: 500, requestId: null, byBucket: true })], []), []);
  assert.deepEqual(check([asked({ status: 500, requestId: id })], [{ ...failed, err: undefined }]), ["unexplained"]);
  assert.deepEqual(check([], [failed, { msg: "answered", status: 500, request_id: other }]), ["unexplained"]);
  assert.deepEqual(check([asked({ status: 400 })], []), []);
});

test("texts and ids that one project was shown first are not to be seen in another's answers", () => {
  const ledger = new Ledger([zebra, heron]);
  const file = newId("file");
  ledger.inspect("zebra", `{"id":"${file}","text":"zebra"}`, "POST /v1/files");
  assert.deepEqual(ledger.crossed, []);
  ledger.inspect("heron", `{"id":"${file}"}`, "GET /v1/files");
  ledger.inspect("heron", "a label zebra-billing", "POST /v1/decisions");
  ledger.inspect("heron", zebra.project, "GET /v1/models");
  assert.equal(ledger.crossed.length, 3);
  ledger.hear(asked({ requestId: "req_1" }), JSON.stringify(body));
  ledger.hear(asked({ requestId: "req_1" }), JSON.stringify(body));
  assert.equal(ledger.wrong.length, 1);
});

test("moves that are lost or told twice, and an alias that means what nobody asked for last, are told", () => {
  const moves = ["one", "two", "three"].map((reason, i) => ({ reason, to: `ft:${i}`, acknowledged: i < 2 }));
  const history = moves.slice(0, 2).map(({ reason, to }) => ({ reason, to }));
  const check = (told: typeof history, now: string) => kinds(checks.movesAreKept("zebra", moves, told, now));
  assert.deepEqual(check(history, "ft:1"), []);
  assert.deepEqual(check([...history, { reason: "three", to: "ft:2" }], "ft:2"), []);
  assert.deepEqual(check(history.slice(1), "ft:1"), ["lost"]);
  assert.deepEqual(check([...history, history[0]!], "ft:1"), ["twice"]);
  assert.deepEqual(check(history, "ft:0"), ["lost"]);
});

test("an end that no webhook told of, and one that was told to another project, are told", () => {
  const ended = [{ marker: "zebra", id: "ftjob-1" }];
  const check = (events: typeof ended) => kinds(checks.isTold(ended, events));
  assert.deepEqual(check([...ended, ...ended]), []);
  assert.deepEqual(check([]), ["lost"]);
  assert.deepEqual(check([...ended, { marker: "heron", id: "ftjob-1" }]), ["crossed"]);
});
