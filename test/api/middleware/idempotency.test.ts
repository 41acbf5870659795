/** Requests that are sent again are done once: by their key, or as the SDK sends them again by itself. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createRequestClaims } from "../../../api/services/requestClaims.ts";
import { newId } from "../../../shared/ids.ts";
import { severedJobs } from "../../bench/reliabilityRetries.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { until } from "../../support/until.ts";

let deployment: Deployment;
const host = fakeHost();
before(async () => {
  deployment = await deploy({ host });
});
after(() => deployment.close());

type Sending = { key?: string; retry?: number; tenant?: "a" | "b" };

function post(path: string, body: unknown, { key, retry, tenant = "a" }: Sending = {}): Promise<Response> {
  const headers = new Headers();
  if (body !== undefined) headers.set("content-type", "application/json");
  if (key !== undefined) headers.set("idempotency-key", key);
  if (retry !== undefined) headers.set("x-stainless-retry-count", String(retry));
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return deployment.fetch(path, { method: "POST", headers, key: deployment.keys[tenant], ...init });
}

type Body = { id?: string; error?: { code: string; param: string | null } };
const json = async (response: Response) => (await response.json()) as Body;
let names = 0;
const metric = (name = `metric_${names++}`) => ({ name, type: "boolean", optimize: "max", level: "inference" });
const isReplayed = (response: Response) => response.headers.get("idempotent-replayed");

describe("with an Idempotency-Key", () => {
  test("the answer is the first one's: body, status, headers and request id", async () => {
    const body = metric();
    const first = await post("/v1/metrics", body, { key: "same" });
    const again = await post("/v1/metrics", body, { key: "same" });
    assert.deepEqual([first.status, isReplayed(first)], [200, null]);
    assert.deepEqual([again.status, isReplayed(again)], [200, "true"]);
    for (const name of ["content-type", "x-request-id", "openai-organization"]) {
      assert.equal(again.headers.get(name), first.headers.get(name), name);
    }
    assert.deepEqual(await json(again), await json(first));
    const anew = await post("/v1/metrics", body);
    assert.equal(isReplayed(anew), null, "without a key it is another request");
  });

  test("another body, or another path, is 422 and names the key", async () => {
    await post("/v1/metrics", metric(), { key: "used" });
    for (const [path, body] of [
      ["/v1/metrics", metric()],
      ["/v1/aliases", {}],
    ] as const) {
      const refused = await post(path, body, { key: "used" });
      assert.equal(refused.status, 422);
      const { code, param } = (await json(refused)).error!;
      assert.deepEqual([code, param], ["idempotency_key_reused", "Idempotency-Key"]);
      assert.equal(refused.headers.get("x-should-retry"), "false");
    }
  });

  test("a key of no or too many characters is 400", async () => {
    const { status } = await post("/v1/metrics", metric(), { key: "x".repeat(257) });
    assert.equal(status, 400);
  });

  test("what was refused may be mended under the same key", async () => {
    const refused = await post("/v1/metrics", { ...metric(), type: "colour" }, { key: "mended" });
    assert.equal(refused.status, 400);
    assert.equal((await post("/v1/metrics", metric(), { key: "mended" })).status, 200);
  });

  test("of another project it means nothing", async () => {
    const body = metric();
    await post("/v1/metrics", body, { key: "shared" });
    const other = await post("/v1/metrics", body, { key: "shared", tenant: "b" });
    assert.deepEqual([other.status, isReplayed(other)], [200, null]);
  });

  test("many at once are one: the others wait for the first", async () => {
    const body = metric();
    const all = await Promise.all(Array.from({ length: 8 }, () => post("/v1/metrics", body, { key: "at once" })));
    assert.deepEqual(
      all.map(({ status }) => status),
      Array(8).fill(200),
    );
    assert.equal(all.filter((response) => isReplayed(response) === "true").length, 7);
    assert.equal(new Set(await Promise.all(all.map((response) => response.text()))).size, 1);
  });

  test("an answer of a model is computed once", async () => {
    const { id: model } = await addModel(deployment.stores, deployment.a);
    const body = { model, input: "x", questions: [{ type: "predicate", instructions: "ham" }] };
    const before = host.asked.length;
    const first = await post("/v1/decisions", body, { key: "decided" });
    const again = await post("/v1/decisions", body, { key: "decided" });
    assert.equal(host.asked.length, before + 1);
    assert.equal(again.headers.get("x-millrace-model-digest"), first.headers.get("x-millrace-model-digest"));
    assert.equal(await again.text(), await first.text());
  });

  test("a file is uploaded once", async () => {
    const upload = () => {
      const form = new FormData();
      form.append("purpose", "fine-tune");
      form.append("file", new Blob(["{}\n"]), "a.jsonl");
      return deployment.fetch("/v1/files", { method: "POST", body: form, headers: { "idempotency-key": "file" } });
    };
    const [first, again] = [await (await upload()).json(), await (await upload()).json()];
    assert.deepEqual(again, first);
  });
});

describe("as the SDK sends it again", () => {
  test("a retry has the answer of the try before, a first try is a request of its own", async () => {
    const { id: job } = await addJob();
    const pause = (retry: number) => post(`/v1/fine_tuning/jobs/${job}/pause`, undefined, { retry });
    const first = await pause(0);
    const retried = await pause(1);
    assert.deepEqual([first.status, retried.status, isReplayed(retried)], [200, 200, "true"]);
    assert.equal(isReplayed(await pause(0)), null);
  });

  test("a first try that is slower on its way than the retry is the same request", async () => {
    const { training_file } = await addJob();
    const body = { model: "millrace-ngram", training_file, seed: 1 };
    const retry = await json(await post("/v1/fine_tuning/jobs", body, { retry: 1 }));
    const late = await json(await post("/v1/fine_tuning/jobs", body, { retry: 0 }));
    assert.equal(late.id, retry.id);
    const anew = await json(await post("/v1/fine_tuning/jobs", body, { retry: 0 }));
    assert.notEqual(anew.id, retry.id);
  });

  test("a job is made once though connections are cut in requests, work and answers", async () => {
    const { cuts, retries, twice, lost } = await severedJobs(deployment, { count: 60 });
    assert.ok(cuts > 20 && retries > 20, `${cuts} cuts, ${retries} retries`);
    assert.deepEqual({ twice, lost }, { twice: 0, lost: 0 });
  });
});

test("who dies at work is succeeded, under the same id, when they have been silent for a while", async () => {
  const { stores, a } = deployment;
  const request = { idempotencyKey: "dead", retryCount: 0, fingerprint: "f", signal: AbortSignal.timeout(30_000) };
  const dead = { request_id: newId("request"), fingerprint: "f", attempt: "gone", is_first_seen: true, answer: null };
  const name = `key#${createHash("sha256").update("dead").digest("hex")}`;
  const claims = createRequestClaims(stores.claims);
  const soon = { busy_until: Date.now() + 300, expires_at: Math.floor(Date.now() / 1000) + 60 };
  await stores.claims.create(a.project.id, name, { ...dead, ...soon });
  const begun = await claims.begin(a.project, { ...request, requestId: newId("request") });
  assert.ok("keep" in begun);
  assert.equal(begun.requestId, dead.request_id);
  await begun.keep({ status: 200, headers: {}, body: "{}" });
  const kept = await until(() => stores.claims.get(a.project.id, name), { what: "the claim" });
  assert.equal(kept.answer?.body, "{}");
});

async function addJob() {
  const client = deployment.client();
  const { id: training_file } = await client.files.create({
    file: new File(["{}\n"], "a.jsonl"),
    purpose: "fine-tune",
  });
  return client.fineTuning.jobs.create({ model: "millrace-ngram", training_file });
}
