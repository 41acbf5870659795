/** Projects, as an organization's admin keys see all of them and a project's own key sees its own. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import type { CreateProject, OrganizationProject, ProjectRecord, UpdateProject } from "../../shared/schemas/project.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import { take } from "../../shared/stores/indexedRows.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Paging } from "./fineTuningJobs.ts";
import type { KeyService } from "./keys.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface ProjectService {
  create(actor: Actor, request: CreateProject, attempt: Attempt): Promise<OrganizationProject>;
  /** Of the organization, by id; archived ones where asked for. */
  list(actor: Actor, paging: Paging & { include_archived: boolean }): Promise<Page<OrganizationProject>>;
  /** A stranger's is 404. */
  get(actor: Actor, id: string): Promise<OrganizationProject>;
  /** The row, likewise. */
  require(actor: Actor, id: string): Promise<ProjectRecord>;
  /** The row of one that is not archived. */
  requireActive(actor: Actor, id: string): Promise<ProjectRecord>;
  update(actor: Actor, id: string, changes: UpdateProject): Promise<OrganizationProject>;
  /** Its keys stop; its data stays until it expires. */
  archive(actor: Actor, id: string): Promise<OrganizationProject>;
}

export function createProjectService(
  { projects, organizations }: Pick<Stores, "projects" | "organizations">,
  keys: Pick<KeyService, "forgetProject">,
): ProjectService {
  const require: ProjectService["require"] = async (actor, id) => {
    const isOpen = isId("project", id) && (actor.project_id === null || actor.project_id === id);
    const found = isOpen ? await projects.get(id) : undefined;
    if (found?.organization_id !== actor.organization_id) throw notFound("project", id);
    return found;
  };
  const requireActive: ProjectService["requireActive"] = async (actor, id) => {
    const project = await require(actor, id);
    if (project.archived_at !== undefined) throw new ApiError("invalid_state", `The project '${id}' is archived.`);
    return project;
  };
  const get: ProjectService["get"] = async (actor, id) => shown(await require(actor, id));
  async function* listed(organization: string, after: string | undefined, withArchived: boolean) {
    for await (const project of projects.stream(organization, after)) {
      if (withArchived || project.archived_at === undefined) yield project;
    }
  }

  return {
    get,
    require,
    requireActive,
    async create(actor, { name }, attempt) {
      const organization = await organizations.get(actor.organization_id);
      if (!organization) throw new Error(`There is no row of the organization ${actor.organization_id}`);
      const id = idFor("project", attempt);
      const created_at = Math.floor(Date.now() / 1000);
      const record: ProjectRecord = {
        ...{ id, organization_id: organization.id, organization_name: organization.name, name, created_at },
      };
      const details = { id, data: { name } };
      await projects.create(record, [auditWrite(actor, { type: "project.created", details, project: record })]);
      return shown(record);
    },
    async list({ organization_id }, { after, limit, include_archived }) {
      const found = await take(listed(organization_id, after, include_archived), limit + 1);
      return toPage(found.map(shown), limit);
    },
    async update(actor, id, { name, ...policy }) {
      const project = await requireActive(actor, id);
      const changes = { ...policy, ...(name != null && { name }) };
      const details = { id, changes_requested: changes };
      const audit = auditWrite(actor, { type: "project.updated", details, project });
      if (!(await projects.update(id, changes, [audit]))) await requireActive(actor, id);
      keys.forgetProject(id);
      return get(actor, id);
    },
    async archive(actor, id) {
      const project = await require(actor, id);
      const changes = { archived_at: Math.floor(Date.now() / 1000) };
      const audit = auditWrite(actor, { type: "project.archived", details: { id }, project });
      // One that is archived already stays as it is.
      if (project.archived_at === undefined) await projects.update(id, changes, [audit]);
      keys.forgetProject(id);
      return get(actor, id);
    },
  };
}

function shown(record: ProjectRecord): OrganizationProject {
  return {
    id: record.id,
    object: "organization.project",
    name: record.name,
    created_at: record.created_at,
    archived_at: record.archived_at ?? null,
    status: record.archived_at === undefined ? "active" : "archived",
    inference_records: record.inference_records ?? "none",
    inference_sampling_rate: record.inference_sampling_rate ?? 1,
    inference_retention_days: record.inference_retention_days ?? null,
  };
}
