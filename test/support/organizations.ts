/** What an organization's admin key makes, and which paths take one. */
import assert from "node:assert/strict";
import type { Deployment, Tenant } from "./deployment.ts";
import type { Fixtures } from "./openapiBodies.ts";

/** No project's key opens them, but for its own project. */
const administered = /^\/v1\/organization\/|\/permissions\b/;

export const keyFor = (tenant: Tenant, path: string) => (administered.test(path) ? tenant.adminKey : tenant.key);

/** Posts with an admin key; what was made. */
export async function make<Made = { id: string }>(deployment: Deployment, path: string, body: object, key?: string) {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", key: key ?? deployment.a.adminKey, headers, body: JSON.stringify(body) };
  const response = await deployment.fetch(`/v1/organization/${path}`, init);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Made;
}

/** By the collection in a path or the field: of A's organization what may go, and who may call its model. */
export async function addOrganization(deployment: Deployment, fixtures: Fixtures): Promise<void> {
  const spare = { name: "spare" };
  const idOf = async (path: string, body: object) => (await make(deployment, path, body)).id;
  const own = `projects/${deployment.a.project.id}`;
  const shared = `../fine_tuning/checkpoints/${encodeURIComponent(String(fixtures.model))}/permissions`;
  const project_ids = [await idOf("projects", spare)];
  const permitted = await make<{ data: { id: string }[] }>(deployment, shared, { project_ids });
  const email = "ann@example.com";
  const user = await idOf("users", { email, role: "owner" });
  await idOf(`${own}/users`, { email, role: "owner" });
  await make(deployment, `${own}/spend_limit`, { threshold_amount: 1e6, currency: "USD", interval: "month" });
  Object.assign(fixtures, {
    ...{ users: user, user_id: user, service_accounts: await idOf(`${own}/service_accounts`, spare) },
    ...{ checkpoints: fixtures.model, project_ids, permissions: permitted.data[0]!.id },
    "/v1/organization/projects/{id}/archive": await idOf("projects", spare),
    api_keys: await idOf(`${own}/api_keys`, spare),
    rate_limits: "rl-project",
    admin_api_keys: await idOf("admin_api_keys", spare),
  });
}
