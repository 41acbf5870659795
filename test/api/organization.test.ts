/** The admin API through the official SDK: projects, their keys, admin keys, and the log of it all. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import type { AuditLogListParams } from "openai/resources/admin/organization/audit-logs";
import type { CreatedProjectApiKey } from "../../shared/schemas/apiKey.ts";
import { keyHash } from "../../shared/stores/apiKeyRows.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { make } from "../support/organizations.ts";
import { sdks } from "../support/sdks.ts";

let deployment: Deployment;
let admin: OpenAI;
before(async () => {
  deployment = await deploy();
  admin = deployment.client({ adminAPIKey: deployment.a.adminKey });
});
after(() => deployment.close());

const makeKey = (project: string, body: object) =>
  make<CreatedProjectApiKey>(deployment, `projects/${project}/api_keys`, body);
const newProject = (name = "p") => admin.admin.organization.projects.create({ name });
const opens = (apiKey: string) => deployment.client({ apiKey });

async function allRefused(calls: readonly (() => PromiseLike<unknown>)[], expected: object): Promise<void> {
  for (const call of calls) await assert.rejects(Promise.resolve().then(call), expected, String(call));
}

for (const [name, Sdk] of Object.entries(sdks)) {
  test(`${name} makes, lists, renames and archives projects, and finds and revokes their keys`, async () => {
    const { projects } = new Sdk({ adminAPIKey: deployment.a.adminKey, baseURL: deployment.baseURL }).admin
      .organization;
    const made = await projects.create({ name: "intents" });
    assert.deepEqual(
      [made.object, made.name, made.status, made.archived_at],
      [...["organization.project", "intents", "active", null]],
    );
    assert.equal((await projects.update(made.id, { name: "topics" })).name, "topics");
    assert.equal((await projects.retrieve(made.id)).name, "topics");
    const key = await makeKey(made.id, { name: "of the service", scopes: ["inference", "read"] });
    assert.match(key.value, /^sk-millrace-.{43}$/);
    const { apiKeys } = projects;
    const found = await apiKeys.retrieve(key.id, { project_id: made.id });
    assert.deepEqual({ ...found, value: key.value }, key);
    assert.equal(found.redacted_value, `sk-millrace-********${key.value.slice(-4)}`);
    const listed: string[] = [];
    for await (const { id } of apiKeys.list(made.id, { limit: 1 })) listed.push(id);
    assert.deepEqual(listed, [key.id]);
    const gone = await apiKeys.delete(key.id, { project_id: made.id });
    assert.deepEqual(gone, { id: key.id, object: "organization.project.api_key.deleted", deleted: true });
    await assert.rejects(apiKeys.retrieve(key.id, { project_id: made.id }), { status: 404, param: "key_id" });

    const archived = await projects.archive(made.id);
    assert.equal(archived.status, "archived");
    assert.ok(archived.archived_at! >= made.created_at);
    await assert.rejects(projects.update(made.id, { name: "again" }), { status: 409 });
    const names = async (query: object) => {
      const ids: string[] = [];
      for await (const { id } of projects.list({ limit: 2, ...query })) ids.push(id);
      return ids;
    };
    assert.ok(!(await names({})).includes(made.id));
    assert.ok((await names({ include_archived: true })).includes(made.id));
  });
}

describe("a key", () => {
  test("does what its scopes say, and is told which one is missing", async () => {
    const { id } = await newProject();
    const reader = opens((await makeKey(id, { name: "r", scopes: ["read"] })).value);
    await reader.files.list();
    const create = reader.fineTuning.jobs.create({ model: "millrace-ngram", training_file: "file-x" });
    await assert.rejects(create, (error: unknown) => {
      assert.ok(error instanceof OpenAI.PermissionDeniedError);
      assert.equal(error.code, "missing_scope");
      assert.equal(error.type, "permission_error");
      assert.match(error.message, /Missing scope: 'training'/);
      return true;
    });
    const caller = opens((await makeKey(id, { name: "c", scopes: ["inference"] })).value);
    await assert.rejects(caller.models.list(), { status: 403, message: /'read'/ });
    await assert.rejects(caller.embeddings.create({ model: "none", input: "x" }), { status: 404 });
  });

  test("has its scopes changed, and all of them where the list is empty", async () => {
    const { id } = await newProject();
    const { apiKeys } = admin.admin.organization.projects;
    const key = await makeKey(id, { name: "x", scopes: ["inference"] });
    await assert.rejects(opens(key.value).files.list(), { status: 403 });
    await apiKeys.update(key.id, { project_id: id, scopes: ["read", "read"] });
    assert.equal((await opens(key.value).files.list()).data.length, 0);
    const wide = (await apiKeys.update(key.id, { project_id: id, scopes: [] })) as unknown as CreatedProjectApiKey;
    assert.deepEqual(wide.scopes, ["read", "inference", "training", "admin"]);
  });

  test("opens nothing from the second on at which it expires", async (t) => {
    const { id } = await newProject();
    const key = await makeKey(id, { name: "x", expires_in_seconds: 60 });
    assert.equal(key.expires_at, key.created_at + 60);
    await opens(key.value).files.list();
    t.mock.timers.enable({ apis: ["Date"], now: (key.created_at + 61) * 1000 });
    await assert.rejects(opens(key.value).files.list(), { status: 401, code: "invalid_api_key" });
    t.mock.timers.reset();
    await opens(key.value).files.list();
  });

  test("is rotated: both secrets work while they overlap, then the new one alone", async (t) => {
    const { id } = await newProject();
    const old = await makeKey(id, { name: "x", scopes: ["read"] });
    const rotate = (overlap_seconds: number, of = old) =>
      make<CreatedProjectApiKey>(deployment, `projects/${id}/api_keys/${of.id}/rotate`, { overlap_seconds });
    const next = await rotate(30);
    assert.deepEqual([next.name, next.scopes, next.expires_at], ["x", ["read"], null]);
    assert.notEqual(next.value, old.value);
    for (const { value } of [old, next]) await opens(value).files.list();
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 31_000 });
    await assert.rejects(opens(old.value).files.list(), { status: 401 });
    await opens(next.value).files.list();
    t.mock.timers.reset();
    const last = await rotate(0, next);
    await assert.rejects(opens(next.value).files.list(), { status: 401 });
    await opens(last.value).files.list();
  });

  test("has its hash stored and nothing else of it", async () => {
    const { id } = await newProject();
    const { value } = await makeKey(id, { name: "x" });
    const row = await deployment.stores.apiKeys.find(keyHash(value));
    assert.ok(row && !JSON.stringify(row).includes(value.slice("sk-millrace-".length, -4)));
    const told = JSON.stringify(deployment.observed);
    for (const secret of [value, deployment.a.key, deployment.a.adminKey]) assert.ok(!told.includes(secret));
  });
});

describe("an admin key", () => {
  test("makes others, which are shown once, listed both ways, retrieved and revoked", async () => {
    const keys = admin.admin.organization.adminAPIKeys;
    const made = await keys.create({ name: "ops", expires_in_seconds: 3600 });
    assert.match(made.value, /^sk-admin-millrace-.{43}$/);
    assert.equal(made.expires_at, made.created_at + 3600);
    assert.equal(made.owner.role, "owner");
    const { value, ...shown } = made;
    assert.deepEqual(await keys.retrieve(made.id), shown);
    const ids = async (order: "asc" | "desc") => {
      const found: string[] = [];
      for await (const { id } of keys.list({ order, limit: 1 })) found.push(id);
      return found;
    };
    assert.deepEqual((await ids("asc")).reverse(), await ids("desc"));
    const second = deployment.client({ adminAPIKey: value });
    await second.admin.organization.projects.list();
    await assert.rejects(second.admin.organization.adminAPIKeys.delete(made.id), { status: 409 });
    assert.equal((await keys.delete(made.id)).deleted, true);
    await assert.rejects(second.admin.organization.projects.list(), { status: 401, code: "invalid_api_key" });
  });

  test("opens no project, as a project's key opens no organization but for its own project", async () => {
    const asProject = deployment.client({ apiKey: deployment.a.adminKey });
    await assert.rejects(asProject.files.list(), { status: 403, code: "project_key_required" });
    const { organization } = deployment.client({ adminAPIKey: deployment.a.key }).admin;
    const own = deployment.a.project.id;
    await allRefused(
      [
        () => organization.projects.list(),
        () => organization.projects.create({ name: "x" }),
        () => organization.projects.archive(own),
        () => organization.projects.apiKeys.list(own),
        () => organization.adminAPIKeys.list(),
        () => organization.auditLogs.list(),
      ],
      { status: 403, code: "admin_key_required" },
    );
    assert.equal((await organization.projects.retrieve(own)).id, own);
    const other = (await newProject()).id;
    await assert.rejects(organization.projects.retrieve(other), { status: 404 });
    await assert.rejects(organization.projects.update(other, { name: "x" }), { status: 404 });
  });

  test("sees its own organization and no other's", async () => {
    const other = deployment.client({ adminAPIKey: deployment.b.adminKey }).admin.organization;
    const { id } = await newProject("mine");
    const key = await makeKey(id, { name: "x" });
    await allRefused(
      [
        () => other.projects.retrieve(id),
        () => other.projects.update(id, { name: "x" }),
        () => other.projects.archive(id),
        () => other.projects.apiKeys.list(id),
        () => other.projects.apiKeys.retrieve(key.id, { project_id: id }),
        () => other.projects.apiKeys.delete(key.id, { project_id: id }),
        () => other.projects.apiKeys.retrieve(key.id, { project_id: deployment.b.project.id }),
      ],
      { status: 404 },
    );
    assert.deepEqual(
      (await other.projects.list()).data.map((project) => project.id),
      [deployment.b.project.id],
    );
    assert.ok((await other.auditLogs.list()).data.every((log) => log.project?.id !== id));
    await opens(key.value).files.list();
  });
});

test("the log tells who changed what, newest first, and is filtered by all that the SDK can ask for", async () => {
  const { projects, auditLogs, adminAPIKeys } = admin.admin.organization;
  const { id: project } = await newProject("logged");
  const key = await makeKey(project, { name: "x", scopes: ["read", "admin"] });
  await projects.apiKeys.update(key.id, { project_id: project, scopes: ["admin"] });
  // A project's own key changes its project: that is told, too.
  await deployment.client({ adminAPIKey: key.value }).admin.organization.projects.update(project, { name: "renamed" });
  await projects.apiKeys.delete(key.id, { project_id: project });
  await projects.archive(project);
  const all = (await auditLogs.list({ project_ids: [project], limit: 100 })).data;
  const types = ["project.archived", "api_key.deleted", "project.updated", "api_key.updated", "api_key.created"];
  assert.deepEqual(
    all.map(({ type }) => type),
    [...types, "project.created"],
  );
  assert.deepEqual(all.at(-2)!["api_key.created"], { id: key.id, data: { scopes: ["read", "admin"] } });
  assert.deepEqual(all[3]!["api_key.updated"]?.changes_requested, { scopes: ["admin"] });
  assert.equal(all[2]!.actor?.api_key?.id, key.id);
  const adminId = (await adminAPIKeys.list()).data[0]!.id;
  assert.equal(all[0]!.actor?.api_key?.id, adminId);
  assert.ok(!JSON.stringify(all).includes(key.value));

  const idsOf = async (query: AuditLogListParams) => {
    const found: string[] = [];
    for await (const { id } of auditLogs.list({ project_ids: [project], limit: 2, ...query })) found.push(id);
    return found;
  };
  const ids = all.map(({ id }) => id);
  assert.deepEqual(await idsOf({}), ids);
  assert.deepEqual(await idsOf({ event_types: ["project.created", "project.archived"] }), [ids[0], ids[5]]);
  assert.deepEqual(await idsOf({ resource_ids: [key.id] }), [ids[1], ids[3], ids[4]]);
  assert.deepEqual(await idsOf({ actor_ids: [key.id] }), [ids[2]]);
  assert.deepEqual(await idsOf({ actor_emails: ["nobody@example.com"] }), []);
  const { effective_at } = all.at(-1)!;
  assert.deepEqual(await idsOf({ effective_at: { lt: effective_at } }), []);
  assert.deepEqual(await idsOf({ effective_at: { gte: effective_at, lte: all[0]!.effective_at } }), ids);
  assert.deepEqual(await idsOf({ effective_at: { gt: all[0]!.effective_at } }), []);
  const before = await auditLogs.list({ project_ids: [project], limit: 2, before: ids[3]! });
  assert.deepEqual([before.data.map(({ id }) => id), before.has_more], [[ids[1], ids[2]], true]);
});
