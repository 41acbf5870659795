/** What admin keys ask for is done once, too; what shows a secret is answered again with it, to nobody else. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import type { CreatedProjectApiKey } from "../../../shared/schemas/apiKey.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { make } from "../../support/organizations.ts";
import { sdks } from "../../support/sdks.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

function post(path: string, body: unknown, sending: { idempotencyKey: string; key?: string }): Promise<Response> {
  const { idempotencyKey, key = deployment.a.adminKey } = sending;
  const headers = { "content-type": "application/json", "idempotency-key": idempotencyKey };
  return deployment.fetch(`/v1/organization/${path}`, { method: "POST", headers, key, body: JSON.stringify(body) });
}

const newProject = async () => (await make(deployment, "projects", { name: "p" })).id;
const claimName = (key: string) => `key#${createHash("sha256").update(key).digest("hex")}`;
const keysOf = (project: string) => deployment.stores.apiKeys.list(project, { limit: 10 });
const statusWith = async (key: string) => (await deployment.fetch("/v1/files", { key })).status;

for (const [name, Sdk] of Object.entries(sdks)) {
  test(`${name}: a project is made once`, async () => {
    const { projects } = new Sdk({ adminAPIKey: deployment.a.adminKey, baseURL: deployment.baseURL }).admin
      .organization;
    const options = { headers: { "idempotency-key": `project ${name}` } };
    const made = await Promise.all([1, 2, 3].map(() => projects.create({ name }, options)));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    const names: unknown[] = [];
    for await (const each of projects.list()) names.push(each.name);
    assert.equal(names.filter((each) => each === name).length, 1);
  });
}

test("a key is made once, and whoever lost the answer gets it again, with the secret", async () => {
  const project = await newProject();
  const send = () => post(`projects/${project}/api_keys`, { name: "k" }, { idempotencyKey: "made once" });
  const first = (await (await send()).json()) as CreatedProjectApiKey;
  const again = await send();
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.deepEqual(await again.json(), first);
  assert.equal((await keysOf(project)).length, 1);
  assert.equal(await statusWith(first.value), 200);
});

test("so are its rotation, admin keys, service accounts and their secrets; none of them is in the table", async () => {
  const project = await newProject();
  const key = await make(deployment, `projects/${project}/api_keys`, { name: "k" });
  const organization = deployment.a.project.organization_id;
  const paths = [
    `projects/${project}/api_keys/${key.id}/rotate`,
    "admin_api_keys",
    `projects/${project}/service_accounts`,
  ];
  for (const path of paths) {
    const body = path.endsWith("rotate") ? {} : { name: "once" };
    const answers: string[] = [];
    for (let i = 0; i < 2; i++) answers.push(await (await post(path, body, { idempotencyKey: path })).text());
    assert.equal(answers[0], answers[1], path);
    const secret = /sk-[\w-]*millrace-[\w-]{43}/.exec(answers[0]!)?.[0];
    assert.ok(secret, answers[0]);
    const claim = await deployment.stores.claims.get(organization, claimName(path));
    assert.ok(claim?.answer?.is_sealed);
    assert.ok(!JSON.stringify(claim).includes(secret));
  }
  assert.equal((await keysOf(project)).length, 3);
});

test("another admin key is not shown it, and makes no second one", async () => {
  const project = await newProject();
  const other = await make<{ value: string }>(deployment, "admin_api_keys", { name: "other" });
  const path = `projects/${project}/api_keys`;
  await post(path, { name: "k" }, { idempotencyKey: "somebody's" });
  const refused = await post(path, { name: "k" }, { idempotencyKey: "somebody's", key: other.value });
  assert.equal(refused.status, 422);
  const { error } = (await refused.json()) as { error: { code: string; param: string } };
  assert.deepEqual([error.code, error.param], ["idempotency_key_reused", "Idempotency-Key"]);
  assert.equal((await keysOf(project)).length, 1);
});

test("where its maker died before the answer was kept, the key has the same id and another secret", async () => {
  const project = await newProject();
  const organization = deployment.a.project.organization_id;
  const old = await make(deployment, `projects/${project}/api_keys`, { name: "old" });
  for (const path of [`projects/${project}/api_keys`, `projects/${project}/api_keys/${old.id}/rotate`]) {
    const body = path.endsWith("rotate") ? {} : { name: "k" };
    const before = (await keysOf(project)).length;
    const send = async () => (await (await post(path, body, { idempotencyKey: path })).json()) as CreatedProjectApiKey;
    const unseen = await send();
    const claim = (await deployment.stores.claims.get(organization, claimName(path)))!;
    const died = { answer: null, busy_until: 0 };
    assert.ok(await deployment.stores.claims.change(organization, claimName(path), claim, died));
    const made = await send();
    assert.equal(made.id, unseen.id);
    assert.notEqual(made.value, unseen.value);
    assert.equal((await keysOf(project)).length, before + 1);
    assert.deepEqual([await statusWith(made.value), await statusWith(unseen.value)], [200, 401]);
  }
});
