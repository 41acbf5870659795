/** What a project may use, with the official SDKs: headers, waiting, paying, and who may change it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type OpenAI from "openai";
import type { CreatedProjectApiKey, ProjectApiKey } from "../../shared/schemas/apiKey.ts";
import type { UpdateProjectRateLimit } from "../../shared/schemas/rateLimit.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { make } from "../support/organizations.ts";
import { addModel } from "../support/records.ts";
import { sdks } from "../support/sdks.ts";
import { until } from "../support/until.ts";

let deployment: Deployment;
const host = fakeHost();
before(async () => {
  deployment = await deploy({ host });
});
after(() => deployment.close());

async function limited(limits: UpdateProjectRateLimit, ofKey: object = {}) {
  const project = (await make(deployment, "projects", { name: "limited" })).id;
  await make(deployment, `projects/${project}/rate_limits/rl-project`, limits);
  const key = await make<CreatedProjectApiKey>(deployment, `projects/${project}/api_keys`, { name: "k", ...ofKey });
  return { project, key, client: deployment.client({ apiKey: key.value }) };
}

const upload = (client: OpenAI, bytes: number) =>
  client.files.create({ file: new File(["x".repeat(bytes)], "x.jsonl"), purpose: "fine-tune" });
const names = ["limit", "remaining", "reset"] as const;
const headersOf = (response: Response, what: "requests" | "tokens") =>
  names.map((name) => response.headers.get(`x-ratelimit-${name}-${what}`));

for (const [name, Sdk] of Object.entries(sdks)) {
  test(`${name} reads and changes what a project may use, and reads in headers what is left`, async () => {
    const { rateLimits } = new Sdk({ adminAPIKey: deployment.a.adminKey, baseURL: deployment.baseURL }).admin
      .organization.projects;
    const { project, key } = await limited({});
    const [limit] = (await rateLimits.listRateLimits(project)).data;
    assert.deepEqual([limit!.id, limit!.model, limit!.max_requests_per_1_minute], ["rl-project", "*", 300_000]);
    const changed = await rateLimits.updateRateLimit(limit!.id, { project_id: project, max_requests_per_1_minute: 20 });
    assert.equal(changed.max_requests_per_1_minute, 20);
    assert.deepEqual((await rateLimits.listRateLimits(project)).data[0], changed);
    const client = new Sdk({ apiKey: key.value, baseURL: deployment.baseURL, maxRetries: 0 });
    const { response } = await client.files.list().withResponse();
    assert.deepEqual(headersOf(response, "requests"), ["20", "19", "3s"]);
    assert.deepEqual(headersOf(response, "tokens"), ["50000000", "50000000", "0ms"]);
  });

  test(`${name} waits as long as it is told, and then is let through`, async () => {
    const { key } = await limited({ max_requests_per_1_minute: 120 });
    let requests = 0;
    const counted: typeof fetch = (input, init) => {
      requests++;
      return fetch(input, init);
    };
    const client = new Sdk({ apiKey: key.value, baseURL: deployment.baseURL, maxRetries: 2, fetch: counted });
    const quick = new Sdk({ apiKey: key.value, baseURL: deployment.baseURL, maxRetries: 0 });
    const failures = await Promise.allSettled(Array.from({ length: 140 }, () => quick.files.list()));
    const refused = failures.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    assert.ok(refused.length >= 10, `${refused.length} were refused`);
    const { status, code, type, headers } = refused[0] as InstanceType<typeof OpenAI.APIError>;
    assert.deepEqual([status, code, type], [429, "rate_limit_exceeded", "rate_limit_error"]);
    assert.equal(headers!.get("x-should-retry"), "true");
    assert.equal(headers!.get("retry-after"), "1");
    assert.ok(Number(headers!.get("retry-after-ms")) <= 1000);
    await client.files.list();
    assert.ok(requests <= 3, `${requests} tries`);
  });

  test(`${name} does not try again what only more room would help`, async () => {
    const { key } = await limited({ max_stored_bytes: 5000 });
    let requests = 0;
    const counted: typeof fetch = (input, init) => {
      requests++;
      return fetch(input, init);
    };
    const client = new Sdk({ apiKey: key.value, baseURL: deployment.baseURL, maxRetries: 2, fetch: counted });
    await client.files.create({ file: new File(["x".repeat(3000)], "a.jsonl"), purpose: "fine-tune" });
    requests = 0;
    const second = client.files.create({ file: new File(["x".repeat(3000)], "b.jsonl"), purpose: "fine-tune" });
    await assert.rejects(second, (error: InstanceType<typeof OpenAI.APIError>) => {
      assert.ok(error instanceof Sdk.RateLimitError);
      assert.deepEqual([error.code, error.type, error.param], ["insufficient_quota", "insufficient_quota", "file"]);
      assert.match(error.message, /take 3000 of 5000 bytes \(max_stored_bytes\)/);
      assert.equal(error.headers.get("x-should-retry"), "false");
      return true;
    });
    assert.equal(requests, 1);
  });
}

describe("stored bytes", () => {
  test("are free again when a file is deleted", async () => {
    const { client } = await limited({ max_stored_bytes: 5000 });
    const first = await upload(client, 3000);
    await assert.rejects(upload(client, 3000), { code: "insufficient_quota" });
    await client.files.delete(first.id);
    await upload(client, 3000);
  });

  test("are never more than the quota, however many are uploaded at once", async () => {
    const { client, project } = await limited({ max_stored_bytes: 10_000 });
    await Promise.allSettled(Array.from({ length: 12 }, () => upload(client, 3000)));
    const { data } = await client.files.list();
    assert.ok(data.length <= 3);
    assert.equal(await deployment.stores.storedBytes.of(project), 3000 * data.length);
    while ((await client.files.list()).data.length < 3) await upload(client, 3000);
    await assert.rejects(upload(client, 3000), { code: "insufficient_quota" });
  });

  test("of an upload whose process died count until its time is over, and no longer", async () => {
    const { client, project } = await limited({ max_stored_bytes: 10_000 });
    const { storedBytes } = deployment.stores;
    assert.ok(await storedBytes.reserve(project, { id: "file-dead", bytes: 8000, quota: 10_000 }));
    await assert.rejects(upload(client, 3000), { code: "insufficient_quota" });
    await storedBytes.release(project, "file-dead");
    await upload(client, 3000);
  });

  test("that nobody declared count as the most there may be", async () => {
    const { key } = await limited({ max_stored_bytes: 10_000 });
    const form = new Response(
      Object.entries({ purpose: "fine-tune" }).reduce((all, [name, value]) => {
        all.append(name, value);
        all.append("file", new Blob(["{}"]), "x.jsonl");
        return all;
      }, new FormData()),
    );
    const headers = { "content-type": form.headers.get("content-type")! };
    const init = { method: "POST", key: key.value, headers, body: form.body, duplex: "half" } as const;
    const refused = await deployment.fetch("/v1/files", init as RequestInit);
    assert.equal(refused.status, 429);
    const { error } = (await refused.json()) as { error: { code: string } };
    assert.equal(error.code, "insufficient_quota");
  });
});

describe("jobs of a day", () => {
  test("are as many as may be; what was refused, or sent again, is none of them", async () => {
    const { client, key } = await limited({ max_fine_tuning_jobs_per_1_day: 2 });
    const training_file = (await client.files.create({ file: new File(["{}"], "x.jsonl"), purpose: "fine-tune" })).id;
    const job = (headers = {}) =>
      client.fineTuning.jobs.create({ model: "millrace-ngram", training_file }, { headers });
    for (let i = 0; i < 4; i++) {
      const none = client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: "file-none" });
      await assert.rejects(none, { status: 400 });
    }
    const first = await job({ "idempotency-key": "one" });
    assert.equal((await job({ "idempotency-key": "one" })).id, first.id);
    await job();
    await assert.rejects(job(), (error: InstanceType<typeof OpenAI.APIError>) => {
      assert.deepEqual([error.status, error.code], [429, "rate_limit_exceeded"]);
      assert.match(error.message, /2 fine-tuning jobs per day\. Try again in \d+m\d+s/);
      assert.equal(error.headers!.get("x-should-retry"), "false", "nobody sleeps for half a day");
      return true;
    });
    assert.equal((await client.fineTuning.jobs.list()).data.length, 2);
    assert.ok(key.id);
  });
});

describe("a key's own limit", () => {
  test("holds for it alone, may be changed and taken back, and is passed on when the key is rotated", async () => {
    const { project, key, client } = await limited({}, { max_requests_per_1_minute: 3 });
    assert.deepEqual([key.max_requests_per_1_minute, key.max_tokens_per_1_minute], [3, null]);
    const { response } = await client.files.list().withResponse();
    assert.deepEqual(headersOf(response, "requests").slice(0, 2), ["3", "2"]);
    await client.files.list();
    await client.files.list();
    await assert.rejects(client.files.list(), (error: InstanceType<typeof OpenAI.APIError>) => {
      assert.match(error.message, /Rate limit reached for this API key: 3 requests per minute/);
      assert.equal(error.headers!.get("retry-after"), "20");
      return true;
    });
    const other = await make<CreatedProjectApiKey>(deployment, `projects/${project}/api_keys`, { name: "other" });
    await deployment.client({ apiKey: other.value }).files.list();
    const path = `projects/${project}/api_keys/${key.id}`;
    const rotated = await make<CreatedProjectApiKey>(deployment, `${path}/rotate`, {});
    assert.equal(rotated.max_requests_per_1_minute, 3);
    const freed = await make<ProjectApiKey>(deployment, path, { max_requests_per_1_minute: null });
    assert.equal(freed.max_requests_per_1_minute, null);
    await client.files.list();
  });
});

describe("tokens", () => {
  const ask = (client: OpenAI, model: string, input: string) => {
    const questions = [{ type: "choice" as const, instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] }];
    return client.decisions.create({ model, input, questions } as never).withResponse();
  };
  const left = ({ response }: { response: Response }) => Number(response.headers.get("x-ratelimit-remaining-tokens"));

  test("are what the usage says, once the answer is there; what is too large alone is said to be", async () => {
    const { project, client, key } = await limited({ max_tokens_per_1_minute: 400 });
    const model = "ft:millrace-ngram:acme::limited";
    host.labels.set(model, ["ham", "spam"]);
    await addModel(
      deployment.stores,
      { ...deployment.a, project: { ...deployment.a.project, id: project } },
      { id: model },
    );
    const began = Date.now();
    const first = await ask(client, model, "x");
    const { usage } = first.data as unknown as { usage: { input_tokens: number; output_tokens: number } };
    const second = await ask(client, model, "x");
    // What came back meanwhile was not less charged.
    const charged = left(first) - left(second) + Math.ceil(((Date.now() - began) / 60_000) * 400);
    assert.ok(usage.input_tokens > 0);
    assert.ok(
      charged >= usage.input_tokens && charged < 100 + (Date.now() - began) / 100,
      `${charged} for ${JSON.stringify(usage)}`,
    );
    const refused = await ask(client, model, "y ".repeat(2000)).catch((error: unknown) => error);
    const { status, code, message, headers } = refused as InstanceType<typeof OpenAI.APIError>;
    assert.deepEqual([status, code], [429, "rate_limit_exceeded"]);
    assert.match(message, /400 tokens per minute\. This request alone has about \d+ tokens/);
    assert.equal(headers!.get("x-should-retry"), "false");
    assert.ok(key.id);
  });
});

test("who changed a limit is in the audit log; another organization's project, and another id, are 404", async () => {
  const { project } = await limited({ max_requests_per_1_minute: 7 });
  const path = `/v1/organization/projects/${project}/rate_limits`;
  await make(deployment, `projects/${project}/rate_limits/rl-project`, { max_requests_per_1_minute: null });
  const admin = deployment.client({ adminAPIKey: deployment.a.adminKey }).admin.organization;
  const { data } = await admin.auditLogs.list({
    project_ids: [project],
    event_types: ["rate_limit.updated", "rate_limit.deleted"],
  });
  assert.deepEqual(
    data.map(({ type }) => type),
    ["rate_limit.deleted", "rate_limit.updated"],
  );
  assert.deepEqual(data[1]!["rate_limit.updated"]!.changes_requested, { max_requests_per_1_minute: 7 });
  assert.equal((await deployment.fetch(path, { key: deployment.b.adminKey })).status, 404);
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: "{}", key: deployment.a.adminKey };
  assert.equal((await deployment.fetch(`${path}/rl-other`, init)).status, 404);
});

test("when a key was last used is told, of admin keys too", async () => {
  const { project, key, client } = await limited({});
  const admin = deployment.client({ adminAPIKey: deployment.a.adminKey }).admin.organization;
  const used = async () => (await admin.projects.apiKeys.retrieve(key.id, { project_id: project })).last_used_at;
  assert.equal(await used(), null);
  await client.files.list();
  await until(async () => (await used()) !== null, { what: "the use is written" });
  assert.ok(Math.abs((await used())! - Date.now() / 1000) < 60);
  const { data } = await admin.adminAPIKeys.list();
  assert.ok(data.some(({ last_used_at }) => last_used_at !== null));
});
