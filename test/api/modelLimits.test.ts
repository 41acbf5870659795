/** What a project may use of one model, with the official SDKs: whatever name the model is called by. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import type { CreatedProjectApiKey } from "../../shared/schemas/apiKey.ts";
import type { ProjectRateLimit, UpdateProjectRateLimit } from "../../shared/schemas/rateLimit.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { make } from "../support/organizations.ts";
import { addModel } from "../support/records.ts";
import { sdks } from "../support/sdks.ts";

type Failure = InstanceType<typeof OpenAI.APIError>;

let deployment: Deployment;
const host = fakeHost();
before(async () => {
  deployment = await deploy({ host });
});
after(() => deployment.close());

let count = 0;
/** A project with two models. */
async function withModels() {
  const project = (await make(deployment, "projects", { name: "limited" })).id;
  const key = await make<CreatedProjectApiKey>(deployment, `projects/${project}/api_keys`, { name: "k" });
  const owner = { ...deployment.a, project: { ...deployment.a.project, id: project } };
  const [one, other] = ["one", "other"].map((name) => `ft:millrace-ngram:acme:${name}:limits${count++}`);
  for (const id of [one!, other!]) {
    host.labels.set(id, ["ham", "spam"]);
    await addModel(deployment.stores, owner, { id });
  }
  const limit = (model: string, changes: UpdateProjectRateLimit) =>
    make<ProjectRateLimit>(
      deployment,
      `projects/${project}/rate_limits/rl-model-${encodeURIComponent(model)}`,
      changes,
    );
  return { project, key, client: deployment.client({ apiKey: key.value }), one: one!, other: other!, limit };
}

const questions = [{ type: "choice", instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] }];
const ask = (client: OpenAI, model: string, input = "x") =>
  client.decisions.create({ model, input, questions } as never).withResponse();
const told = ({ response }: { response: Response }, what: string) =>
  ["limit", "remaining"].map((name) => Number(response.headers.get(`x-ratelimit-${name}-${what}`)));

for (const [name, Sdk] of Object.entries(sdks)) {
  test(`${name} lists a limit for each model, page by page, and changes one`, async () => {
    const { rateLimits } = new Sdk({ adminAPIKey: deployment.a.adminKey, baseURL: deployment.baseURL }).admin
      .organization.projects;
    const { project, one, other, key, client: caller } = await withModels();
    const listed: ProjectRateLimit[] = [];
    for await (const each of rateLimits.listRateLimits(project, { limit: 2 })) listed.push(each);
    const client = new Sdk({ apiKey: key.value, baseURL: deployment.baseURL, maxRetries: 0 });
    const callable = (await client.models.list()).data.map(({ id }) => id).sort();
    assert.deepEqual(
      listed.map(({ model }) => model),
      ["*", ...callable],
    );
    const id = `rl-model-${one}`;
    assert.deepEqual(
      listed.find(({ model }) => model === one),
      {
        ...{ id, object: "project.rate_limit", model: one },
        ...{ max_requests_per_1_minute: 300_000, max_tokens_per_1_minute: 50_000_000 },
      },
    );
    const changed = await rateLimits.updateRateLimit(id, { project_id: project, max_requests_per_1_minute: 2 });
    assert.deepEqual([changed.id, changed.max_requests_per_1_minute], [id, 2]);
    assert.equal(changed.max_tokens_per_1_minute, 50_000_000);
    await ask(caller, one);
    await ask(caller, one);
    await assert.rejects(ask(caller, one), (error: Failure) => {
      assert.deepEqual([error.status, error.code, error.type], [429, "rate_limit_exceeded", "rate_limit_error"]);
      assert.match(error.message, new RegExp(`Rate limit reached for model '${one}': 2 requests per minute`));
      assert.equal(error.headers!.get("x-should-retry"), "true");
      assert.match(error.headers!.get("retry-after")!, /^(2\d|30)$/);
      return true;
    });
    await ask(caller, other);
  });
}

test("headers tell of the model's limit where less is left of it", async () => {
  const { client, one, other, limit } = await withModels();
  await limit(one, { max_requests_per_1_minute: 5 });
  assert.deepEqual(told(await ask(client, one), "requests"), [5, 4]);
  assert.deepEqual(told(await ask(client, one), "tokens")[0], 50_000_000);
  assert.equal(told(await ask(client, other), "requests")[0], 300_000);
  const refused = await Promise.allSettled(Array.from({ length: 6 }, () => ask(client, one)));
  const { reason } = refused.find((each) => each.status === "rejected") as { reason: Failure };
  assert.equal(reason.headers!.get("x-ratelimit-limit-requests"), "5");
});

test("an alias, a function and another project that was permitted are held to it, each project to its own", async () => {
  const { client, one, limit, key } = await withModels();
  const guest = await withModels();
  const { permissions } = deployment.client({ adminAPIKey: deployment.a.adminKey }).fineTuning.checkpoints;
  await permissions.create(one, { project_ids: [guest.project] });
  await guest.limit(one, { max_requests_per_1_minute: 1 });
  await limit(one, { max_requests_per_1_minute: 3 });
  const body = (fields: object) => ({
    ...{ method: "POST", key: key.value, body: JSON.stringify(fields) },
    headers: { "content-type": "application/json" },
  });
  assert.equal((await deployment.fetch("/v1/aliases", body({ name: "prod", model: one }))).status, 200);
  const called = { name: "triage", variants: [{ name: "only", model: one }], incumbent: "only" };
  const made = await deployment.fetch("/v1/functions", body(called));
  assert.equal(made.status, 200, await made.clone().text());
  await ask(client, one);
  await ask(client, "alias:prod");
  await ask(client, "fn:triage");
  for (const name of [one, "alias:prod", "fn:triage"]) {
    await assert.rejects(ask(client, name), { status: 429, code: "rate_limit_exceeded" });
  }
  await ask(guest.client, one);
  await assert.rejects(ask(guest.client, one), { status: 429, code: "rate_limit_exceeded" });
});

test("tokens of a model are those that its answers used, and what a refused call took of the project's comes back", async () => {
  const { client, one, limit } = await withModels();
  await limit(one, { max_tokens_per_1_minute: 300 });
  const before = told(await ask(client, one), "tokens");
  assert.equal(before[0], 300);
  await assert.rejects(ask(client, one, "y ".repeat(2000)), (error: Failure) => {
    assert.match(error.message, /300 tokens per minute\. This request alone has about \d+ tokens/);
    return true;
  });
  const { data, response } = await ask(client, one);
  assert.ok((data as unknown as { usage: { input_tokens: number } }).usage.input_tokens > 0);
  const [, left] = told({ response }, "tokens");
  // Two answers were settled by what they used, which is much less than what the refused one asked for.
  assert.ok(left! > 100 && left! < 300, `${left} are left`);
});

test("null is as the project has it; what is no model of the project, or only a project's, is refused", async () => {
  const { project, one, limit } = await withModels();
  await limit(one, { max_requests_per_1_minute: 3, max_tokens_per_1_minute: 9 });
  const freed = await limit(one, { max_requests_per_1_minute: null });
  assert.deepEqual([freed.max_requests_per_1_minute, freed.max_tokens_per_1_minute], [300_000, 9]);
  const post = (id: string, fields: object) =>
    deployment.fetch(`/v1/organization/projects/${project}/rate_limits/${encodeURIComponent(id)}`, {
      ...{ method: "POST", key: deployment.a.adminKey, body: JSON.stringify(fields) },
      headers: { "content-type": "application/json" },
    });
  const statusOf = async (id: string, fields: object) => (await post(id, fields)).status;
  assert.equal(await statusOf("rl-model-ft:millrace-ngram:acme::none", {}), 404);
  assert.equal(await statusOf("rl-model-", {}), 404);
  assert.equal(await statusOf("rl-model-alias:prod", {}), 404);
  const refused = await post(`rl-model-${one}`, { max_stored_bytes: 5 });
  const { error } = (await refused.json()) as { error: { param: string } };
  assert.deepEqual([refused.status, error.param], [400, "max_stored_bytes"]);
});
