/** What an organization's admin key makes, and which paths take one. */
import assert from "node:assert/strict";
import type { Deployment, Tenant } from "./deployment.ts";

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

/** By the collection in a path: a project and keys of A's organization that may go. */
export async function freshOrganization(deployment: Deployment): Promise<Record<string, string>> {
  const spare = { name: "spare" };
  const own = `projects/${deployment.a.project.id}`;
  return {
    "/v1/organization/projects/{id}/archive": (await make(deployment, "projects", spare)).id,
    api_keys: (await make(deployment, `${own}/api_keys`, spare)).id,
    admin_api_keys: (await make(deployment, "admin_api_keys", spare)).id,
  };
}
