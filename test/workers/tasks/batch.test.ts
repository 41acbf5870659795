/** Batches, from the file that is asked for to the files that come of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ApiError } from "../../../shared/errors.ts";
import type { BatchRecord } from "../../../shared/schemas/batch.ts";
import { createTable } from "../../../shared/stores/table.ts";
import { batchesOf, decisionLine } from "../../support/batches.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { sdks } from "../../support/sdks.ts";
import { until } from "../../support/until.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

const host = fakeHost();
let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy({ host });
  model = (await addModel(deployment.stores, deployment.a)).id;
});
after(() => deployment.close());

const own = ({ id }: { id: string }) => ({ id, project_id: deployment.a.project.id });
const work = (batch: { id: string }, shutdown?: AbortSignal) =>
  workOn(workerContext(deployment, host), "batch", own(batch), shutdown);
const row = async ({ id }: { id: string }) => (await deployment.stores.batches.get(deployment.a.project.id, id))!;
/** From line `held` on, `heldHost` waits. */
const texts = (count: number, held = count) =>
  Array.from({ length: count }, (_, i) =>
    decisionLine(`r${i}`, model, `${i % 2 ? "spam" : "ham"}${i < held ? "" : " held"}`),
  );

/** As a batch is a moment before its time is over, or any other change that only time would make. */
async function change(batch: { id: string }, changes: Partial<BatchRecord>): Promise<void> {
  const table = createTable(deployment.aws.dynamodb, deployment.names.table);
  const key = { pk: `${deployment.a.project.id}#batch`, sk: batch.id };
  assert.ok(await table.update(key, changes, { expression: "attribute_exists(id)" }));
}

for (const [version, Client] of Object.entries(sdks)) {
  describe(version, () => {
    test("a batch is created, run, retrieved, listed, and its files are read", async () => {
      const { client, create, lines } = batchesOf(deployment, { Client });
      const created = await create([...texts(3), decisionLine("odd", "no-such-model", "x")], {
        metadata: { team: "a" },
        output_expires_after: { anchor: "created_at", seconds: 3600 },
      });
      assert.match(created.id, /^batch_/);
      assert.deepEqual([created.object, created.status, created.metadata], ["batch", "validating", { team: "a" }]);
      assert.equal(created.expires_at, created.created_at + 86_400);
      assert.deepEqual(await work(created), { type: "done" });

      const batch = await client.batches.retrieve(created.id);
      assert.equal(batch.status, "completed");
      assert.ok(batch.in_progress_at && batch.finalizing_at && batch.completed_at);
      assert.deepEqual(batch.request_counts, { total: 4, completed: 3, failed: 1 });
      assert.deepEqual([batch.usage?.input_tokens, batch.usage?.total_tokens], [3, 3]);
      const answers = await lines(batch.output_file_id);
      assert.deepEqual(
        answers.map(({ custom_id, response }) => [custom_id, response?.status_code, response?.body.answers[0].choice]),
        [
          ["r0", 200, "ham"],
          ["r1", 200, "spam"],
          ["r2", 200, "ham"],
        ],
      );
      assert.match(answers[0]!.id, /^batch_req_[0-9a-z]{26}$/);
      assert.match(answers[0]!.response!.request_id, /^req_[0-9a-hjkmnp-tv-z]{26}$/);
      assert.equal(new Set(answers.map(({ id }) => id)).size, 3);
      const [refused] = await lines(batch.error_file_id);
      assert.deepEqual([refused?.custom_id, refused?.response?.status_code], ["odd", 404]);
      assert.deepEqual(
        [refused?.response?.body.error.code, refused?.response?.body.error.param],
        ["model_not_found", "model"],
      );
      const file = await client.files.retrieve(batch.output_file_id!);
      assert.deepEqual([file.purpose, file.expires_at], ["batch_output", file.created_at + 3600]);
      const page = await client.batches.list({ limit: 1 });
      assert.deepEqual([page.data[0]?.id, page.data[0]?.status], [batch.id, "completed"]);
    });

    test("a batch that no worker has yet is cancelled, and cancelling twice is no error", async () => {
      const { client, create } = batchesOf(deployment, { Client });
      const batch = await create(texts(2));
      assert.equal((await client.batches.cancel(batch.id)).status, "cancelling");
      assert.equal((await client.batches.cancel(batch.id)).status, "cancelling");
      await work(batch);
      const cancelled = await client.batches.retrieve(batch.id);
      assert.deepEqual([cancelled.status, cancelled.output_file_id], ["cancelled", null]);
      assert.ok(cancelled.cancelling_at && cancelled.cancelled_at);
    });
  });
}

test("what ends a batch leaves no part behind, and a message more changes nothing", async () => {
  const batch = await batchesOf(deployment).create(texts(2));
  await work(batch);
  const [part] = (await row(batch)).parts;
  const after = await row(batch);
  assert.ok(part);
  const key = `${after.project_id}/batches/${batch.id}/00000001-${part.attempt}.output.jsonl`;
  assert.equal(await deployment.stores.objects.get(key), undefined);
  assert.deepEqual(await work(batch), { type: "done" });
  assert.deepEqual(await row(batch), after);
});

test("every bad line is named before any is run", async () => {
  const { client, create } = batchesOf(deployment);
  host.asked.length = 0;
  const good = (id: string, changes: object = {}) => JSON.stringify(decisionLine(id, model, "x", changes));
  const lines = [
    good("a"),
    "{",
    "[]",
    good("a"),
    good(""),
    good("b", { method: "GET" }),
    good("c", { url: "/v1/embeddings" }),
    good("d", { body: { model, input: 7, questions: [] } }),
    good("e", { body: { model, input: "x", questions: [], stream: true } }),
    "",
    JSON.stringify({ method: "POST", url: "/v1/decisions", body: {} }),
    JSON.stringify({ custom_id: "f", method: "POST", url: "/v1/decisions" }),
    `"${"x".repeat(5 * 1024 * 1024)}"`,
  ];
  const batch = await create(lines.join("\n"));
  await work(batch);
  const failed = await client.batches.retrieve(batch.id);
  assert.equal(failed.status, "failed");
  assert.ok(failed.failed_at);
  assert.equal(failed.errors?.object, "list");
  assert.deepEqual(
    failed.errors?.data?.map(({ line, code, param }) => [line, code, param]),
    [
      [2, "invalid_json", null],
      [3, "invalid_json", null],
      [4, "invalid_value", "custom_id"],
      [5, "invalid_value", "custom_id"],
      [6, "invalid_value", "method"],
      [7, "invalid_value", "url"],
      [8, "invalid_type", "body.input"],
      [9, "invalid_value", "body.stream"],
      [11, "missing_required_parameter", "custom_id"],
      [12, "missing_required_parameter", "body"],
      [13, "invalid_json", null],
    ],
  );
  assert.deepEqual(host.asked, []);
});

test("a file without requests, or with more than 50,000, fails", async () => {
  const { client, create } = batchesOf(deployment);
  const empty = await create("\n \n");
  await work(empty);
  assert.match((await client.batches.retrieve(empty.id)).errors!.data![0]!.message!, /no request/);
  const minimal = (id: number) => `{"custom_id":"${id}","method":"POST","url":"/v1/decisions","body":{}}\n`;
  const valid = (id: number) =>
    `{"custom_id":"${id}","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"}}\n`;
  const many = await create(Array.from({ length: 50_001 }, (_, i) => valid(i)).join(""), {
    endpoint: "/v1/embeddings",
  });
  await work(many);
  const { data } = (await client.batches.retrieve(many.id)).errors!;
  assert.deepEqual(
    data?.map(({ line, code }) => [line, code]),
    [[50_001, "invalid_file"]],
  );
  const bad = await create(Array.from({ length: 300 }, (_, i) => minimal(i)).join(""));
  await work(bad);
  assert.equal((await client.batches.retrieve(bad.id)).errors?.data?.length, 100);
});

test("what can be told at once is refused at once", async () => {
  const { client, create } = batchesOf(deployment);
  const file = async (purpose: "batch" | "fine-tune", key?: string) => {
    const { client: its } = batchesOf(deployment, key ? { apiKey: key } : {});
    const { id } = await its.files.create({ file: new File(["{}\n"], "x.jsonl"), purpose });
    return { input_file_id: id };
  };
  await assert.rejects(create("{}", await file("fine-tune")), { status: 400, param: "input_file_id" });
  await assert.rejects(create("{}", await file("batch", deployment.keys.b)), { status: 400, param: "input_file_id" });
  await assert.rejects(create("{}", { endpoint: "/v1/files" }), { status: 400, param: "endpoint" });
  await assert.rejects(create("{}", { completion_window: "1h" }), { status: 400, param: "completion_window" });
  const done = await create(texts(1));
  await work(done);
  await assert.rejects(client.batches.cancel(done.id), { status: 409, code: "invalid_state" });
});

test("the same request sent again by the SDK makes no second batch", async () => {
  const { client } = batchesOf(deployment);
  const { id } = await client.files.create({ file: new File(["{}\n"], "x.jsonl"), purpose: "batch" });
  const body = { input_file_id: id, endpoint: "/v1/decisions" as "/v1/embeddings", completion_window: "24h" as const };
  const first = await client.batches.create(body);
  const again = await client.batches.create(body, { headers: { "x-stainless-retry-count": "1" } });
  assert.equal(again.id, first.id);
  assert.notEqual((await client.batches.create(body)).id, first.id);
});

test("what fails in passing is asked again; what stays away is in the error file", async () => {
  const { client, create, lines } = batchesOf(deployment);
  const tries = new Map<string, number>();
  const moody = {
    ...host,
    async classify(asked: never, [text]: readonly string[]) {
      tries.set(text!, (tries.get(text!) ?? 0) + 1);
      if (text === "ham b" || tries.get(text!)! < 3) throw new ApiError("overloaded", "Not now.");
      return host.classify(asked, [text!]);
    },
  };
  const batch = await create([decisionLine("a", model, "ham a"), decisionLine("b", model, "ham b")]);
  await workOn(workerContext(deployment, moody), "batch", own(batch));
  const done = await client.batches.retrieve(batch.id);
  assert.deepEqual(done.request_counts, { total: 2, completed: 1, failed: 1 });
  assert.equal(tries.get("ham a"), 3);
  const [refused] = await lines(done.error_file_id);
  assert.deepEqual([refused?.custom_id, refused?.response?.status_code], ["b", 503]);
});

test("a batch whose time is over keeps what it did; the rest is told as expired", async () => {
  const { client, create, lines } = batchesOf(deployment);
  const batch = await create(texts(40));
  const slow = {
    ...host,
    async classify(asked: never, [text]: readonly string[]) {
      if (text === "spam") await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      return host.classify(asked, [text!]);
    },
  };
  await change(batch, { expires_at: Math.floor(Date.now() / 1000) + 2 });
  await workOn(workerContext(deployment, slow), "batch", own(batch));
  const expired = await client.batches.retrieve(batch.id);
  assert.equal(expired.status, "expired");
  assert.ok(expired.expired_at);
  const [answers, errors] = [await lines(expired.output_file_id), await lines(expired.error_file_id)];
  assert.equal(answers.length + errors.length, 40);
  assert.ok(answers.length > 0 && answers.every(({ custom_id }) => Number(custom_id.slice(1)) % 2 === 0));
  assert.ok(errors.every(({ response, error }) => response === null && error?.code === "batch_expired"));
  assert.deepEqual(expired.request_counts, { total: 40, completed: answers.length, failed: errors.length });
});

/** Keeps those texts waiting that say so, until it is told to go on. */
function heldHost() {
  let release: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waiting = 0;
  return {
    release,
    /** As many lines as are run at a time. */
    isFull: () => waiting === 32,
    host: {
      ...host,
      async classify(model: never, texts: readonly string[]) {
        if (texts[0]!.includes("held")) {
          waiting++;
          await opened;
        }
        return host.classify(model, texts);
      },
    },
  };
}

test("a cancelled batch ends what is running and keeps what is done", async () => {
  const { client, create, lines } = batchesOf(deployment);
  const batch = await create(texts(500, 40));
  const held = heldHost();
  const working = workOn(workerContext(deployment, held.host), "batch", own(batch));
  await until(held.isFull, { what: "lines in flight" });
  assert.equal((await client.batches.cancel(batch.id)).status, "cancelling");
  await new Promise((resolve) => setTimeout(resolve, 200));
  held.release();
  await working;
  const cancelled = await client.batches.retrieve(batch.id);
  assert.equal(cancelled.status, "cancelled");
  const answers = await lines(cancelled.output_file_id);
  assert.ok(answers.length >= 72 && answers.length < 500, `${answers.length} lines`);
  assert.deepEqual(
    answers.map(({ custom_id }) => custom_id),
    answers.map((_, i) => `r${i}`),
  );
});

test("a worker that must go stores what is done, and another goes on behind it", async () => {
  const { client, create, lines } = batchesOf(deployment);
  const batch = await create(texts(100, 40));
  const held = heldHost();
  const shutdown = new AbortController();
  const working = workOn(workerContext(deployment, held.host), "batch", own(batch), shutdown.signal);
  await until(held.isFull, { what: "lines in flight" });
  shutdown.abort();
  assert.deepEqual(await working, { type: "retry", seconds: 0 });
  const left = await row(batch);
  assert.equal(left.lease, null);
  assert.equal(left.next_line, 41);
  host.asked.length = 0;
  await work(batch);
  assert.equal(host.asked.length, 60);
  const answers = await lines((await client.batches.retrieve(batch.id)).output_file_id);
  assert.deepEqual(
    answers.map(({ custom_id }) => custom_id),
    texts(100).map(({ custom_id }) => custom_id),
  );
});

test("a worker that must go while it joins the parts counts no failure", async () => {
  const { create } = batchesOf(deployment);
  const batch = await create(texts(3));
  const context = workerContext(deployment, host);
  const shutdown = new AbortController();
  const { objects } = context.stores;
  const leaving: typeof objects = {
    ...objects,
    put(key, content, options) {
      if (key.includes("/files/")) shutdown.abort();
      return objects.put(key, content, options);
    },
  };
  const stores = { ...context.stores, objects: leaving };
  assert.equal((await workOn({ ...context, stores }, "batch", own(batch), shutdown.signal)).type, "retry");
  const { status, lease, failures } = await row(batch);
  assert.deepEqual([status, lease, failures], ["finalizing", null, 0]);
  await work(batch);
  assert.equal((await row(batch)).status, "completed");
});

test("a batch whose turn is over goes behind what waits, and goes on where it was", async () => {
  const { client, create, lines } = batchesOf(deployment);
  const batch = await create(texts(200));
  const context = workerContext(deployment, host);
  const hurried = { ...context, config: { ...context.config, batchTurnSeconds: 0.02 } };
  let turns = 0;
  while ((await workOn(hurried, "batch", own(batch))).type === "retry") {
    turns++;
    const { lease, failures, status } = await row(batch);
    assert.deepEqual([lease, failures, status], [null, 0, "in_progress"]);
  }
  assert.ok(turns > 0);
  const answers = await lines((await client.batches.retrieve(batch.id)).output_file_id);
  assert.deepEqual(
    answers.map(({ custom_id }) => custom_id),
    texts(200).map(({ custom_id }) => custom_id),
  );
});

test("a batch whose input file is gone fails, and one that no attempt gets further is given up", async () => {
  const { client, create } = batchesOf(deployment);
  const batch = await create(texts(1));
  await client.files.delete(batch.input_file_id);
  await work(batch);
  const failed = await client.batches.retrieve(batch.id);
  assert.deepEqual([failed.status, failed.errors?.data?.[0]?.code], ["failed", "file_deleted"]);
  const stuck = await create(texts(1));
  await change(stuck, { failures: 3 });
  assert.equal((await work(stuck)).type, "buried");
  assert.equal((await client.batches.retrieve(stuck.id)).errors?.data?.[0]?.code, "attempts_exhausted");
});

test("a batch that is given up in the middle keeps what was done", async () => {
  const { client, create, lines } = batchesOf(deployment);
  const batch = await create(texts(100, 40));
  const held = heldHost();
  const shutdown = new AbortController();
  const working = workOn(workerContext(deployment, held.host), "batch", own(batch), shutdown.signal);
  await until(held.isFull, { what: "lines in flight" });
  shutdown.abort();
  await working;
  await change(batch, { failures: 3 });
  assert.equal((await work(batch)).type, "buried");
  const failed = await client.batches.retrieve(batch.id);
  assert.deepEqual([failed.status, failed.errors?.data?.[0]?.code], ["failed", "attempts_exhausted"]);
  assert.equal((await lines(failed.output_file_id)).length, 40);
});

test("lines are answered as the batch's own project", async () => {
  const foreign = await addModel(deployment.stores, deployment.b);
  const { client, create, lines } = batchesOf(deployment);
  const batch = await create([decisionLine("a", foreign.id, "ham")]);
  const stranger = batchesOf(deployment, { apiKey: deployment.keys.b });
  await assert.rejects(stranger.client.batches.retrieve(batch.id), { status: 404 });
  await assert.rejects(stranger.client.batches.cancel(batch.id), { status: 404 });
  assert.ok((await stranger.client.batches.list()).data.every(({ id }) => id !== batch.id));
  await work(batch);
  const done = await client.batches.retrieve(batch.id);
  assert.equal((await lines(done.error_file_id))[0]?.response?.body.error.code, "model_not_found");
  await assert.rejects(stranger.client.files.content(done.error_file_id!), { status: 404 });
});
