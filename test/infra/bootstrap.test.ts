/** What a deployment begins with: told once, and the same at every start after that. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bootstrap } from "../../infra/bootstrap.ts";
import { keyHash } from "../../shared/stores/apiKeyRows.ts";
import { type Cloud, openCloud } from "../support/deployment.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

test("the first start makes an organization, a project and a key to each; later ones find them and tell no secret", async () => {
  const { apiKeys, adminKeys, projects, organizations } = cloud.stores;
  const first = await bootstrap(cloud.stores, {});
  const key = (await apiKeys.find(keyHash(first.apiKey)))!;
  const admin = (await adminKeys.find(keyHash(first.adminKey!)))!;
  const project = (await projects.get(key.project_id))!;
  assert.equal(project.organization_id, admin.organization_id);
  assert.equal((await organizations.get(admin.organization_id))?.name, "local");
  const kept = { apiKey: first.apiKey, adminKeyId: first.adminKeyId };
  assert.deepEqual(await bootstrap(cloud.stores, kept), kept);

  // Whoever lost the admin key forgets its id, and is told another one to the same organization.
  const again = await bootstrap(cloud.stores, { apiKey: first.apiKey });
  assert.notEqual(again.adminKey, first.adminKey);
  assert.equal((await adminKeys.find(keyHash(again.adminKey!)))?.organization_id, admin.organization_id);
});

test("a key that opens nothing any more is made anew, with a project of its own", async () => {
  const { apiKey } = await bootstrap(cloud.stores, { apiKey: "sk-millrace-gone", adminKeyId: "adminkey_gone" });
  assert.ok(await cloud.stores.apiKeys.find(keyHash(apiKey)));
});
