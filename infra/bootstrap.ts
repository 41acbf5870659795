/**
 * What a deployment that nobody used yet begins with: an organization, its first project, and a key to each. Secrets are
 * returned once, and whoever starts the deployment keeps them or tells them: a terminal here, a secrets store elsewhere.
 */
import { newId } from "../shared/ids.ts";
import type { OrganizationRecord } from "../shared/schemas/organization.ts";
import type { ProjectRecord } from "../shared/schemas/project.ts";
import { newAdminKey } from "../shared/stores/adminKeys.ts";
import { keyHash } from "../shared/stores/apiKeyRows.ts";
import { newApiKey } from "../shared/stores/apiKeys.ts";
import type { Stores } from "../shared/stores/stores.ts";

/** What the start before this one left. */
export interface Kept {
  apiKey?: string | undefined;
  /** Of the admin key that was told then. */
  adminKeyId?: string | undefined;
}

export interface Begun {
  apiKey: string;
  adminKeyId: string;
  /** Only of a key that was made just now. */
  adminKey?: string;
}

type Rows = Pick<Stores, "organizations" | "projects" | "apiKeys" | "adminKeys">;

/** Whatever of it is there already stays; a key that opens nothing any more is made anew. */
export async function bootstrap(stores: Rows, kept: Kept, organizationName = "local"): Promise<Begun> {
  const { apiKey, project } =
    (await earlierProject(stores, kept.apiKey)) ?? (await firstProject(stores, organizationName));
  const { organization_id: id, organization_name: name, created_at } = project;
  await stores.organizations.create({ id, name, created_at });
  const earlier = kept.adminKeyId && (await stores.adminKeys.get(id, kept.adminKeyId));
  if (earlier) return { apiKey, adminKeyId: earlier.id };
  const { secret, record } = newAdminKey({ name: "first", organization_id: id });
  await stores.adminKeys.create(record);
  return { apiKey, adminKeyId: record.id, adminKey: secret };
}

async function earlierProject({ apiKeys, projects }: Rows, apiKey: string | undefined) {
  const key = apiKey === undefined ? undefined : await apiKeys.find(keyHash(apiKey));
  const project = key && (await projects.get(key.project_id));
  return apiKey !== undefined && project ? { apiKey, project } : undefined;
}

async function firstProject({ projects, apiKeys }: Rows, organization_name: OrganizationRecord["name"]) {
  const created_at = Math.floor(Date.now() / 1000);
  const owner = { organization_id: newId("organization"), organization_name };
  const project: ProjectRecord = { id: newId("project"), ...owner, name: "default", created_at };
  await projects.create(project);
  const { secret, record } = newApiKey({ name: "default", project_id: project.id });
  await apiKeys.create(record);
  return { apiKey: secret, project };
}
