/** Which projects of an organization may call a model that another one tuned. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId, newId } from "../../shared/ids.ts";
import type { RecentModels } from "../../shared/inference/recentModels.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import type { CheckpointPermission, PermissionRecord } from "../../shared/schemas/permission.ts";
import type { ProjectRecord } from "../../shared/schemas/project.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Paging } from "./fineTuningJobs.ts";
import type { ProjectService } from "./projects.ts";

export interface PermissionPaging extends Paging {
  order: "ascending" | "descending";
  /** Only this project's. */
  project_id?: string | undefined;
}

export interface PermissionService {
  /** Asked for again they are what they were. */
  create(actor: Actor, model: string, projects: readonly string[]): Promise<Page<CheckpointPermission>>;
  list(actor: Actor, model: string, paging: PermissionPaging): Promise<Page<CheckpointPermission>>;
  delete(actor: Actor, model: string, id: string): Promise<void>;
}

/** Projects whose models are looked at together. */
const lookedAtOnce = 100;
const longestId = 512;

export function createPermissionService(
  { permissions, projects, models }: Pick<Stores, "permissions" | "projects" | "models">,
  { requireActive }: Pick<ProjectService, "requireActive">,
  recent: Pick<RecentModels, "forgetPermission">,
): PermissionService {
  /** The one of this name that a project of the organization has. */
  const requireModel = async ({ organization_id }: Actor, id: string): Promise<ModelRecord> => {
    const found: ModelRecord[] = [];
    if (id.startsWith("ft:") && id.length <= longestId) {
      for await (const ids of chunks(projects.stream(organization_id))) found.push(...(await models.owned(ids, id)));
    }
    if (found.length > 1)
      throw new ApiError("invalid_state", `Several projects have a model '${id}'.`, { param: "id" });
    if (!found[0]) throw notFound("fine-tuned model", id.slice(0, longestId));
    return found[0];
  };
  const requireCaller = async (actor: Actor, id: string, owner: string): Promise<ProjectRecord> => {
    const project = await requireActive(actor, id).catch(() => undefined);
    if (project && id !== owner) return project;
    const message = project ? "A project calls its own models without a permission." : `No such project: '${id}'.`;
    throw new ApiError("invalid_value", message, { param: "project_ids" });
  };

  return {
    async create(actor, id, ids) {
      const model = await requireModel(actor, id);
      const owner_project_id = model.project_id;
      const callers = await Promise.all([...new Set(ids)].map((one) => requireCaller(actor, one, owner_project_id)));
      for (;;) {
        const earlier = await Promise.all(callers.map((project) => permissions.get(project.id, id)));
        const made = callers.map((project, i) => earlier[i] ?? permissionOf(model, project));
        const fresh = made.filter((_, i) => !earlier[i]);
        const audits = fresh.map((record) => createdWrite(actor, record, callers));
        // Whoever loses the race looks again.
        if (fresh.length && !(await permissions.create(fresh, audits))) continue;
        return toPage(made.map(shown), Number.POSITIVE_INFINITY);
      }
    },
    async list(actor, id, { limit, after, order, project_id: project }) {
      const { project_id: owner_project_id } = await requireModel(actor, id);
      const listing = { limit: limit + 1, after, descending: order === "descending", project };
      return toPage((await permissions.list({ owner_project_id, model: id }, listing)).map(shown), limit);
    },
    async delete(actor, model, id) {
      const { project_id: owner_project_id } = await requireModel(actor, model);
      const found = isId("checkpoint_permission", id) && (await permissions.find({ owner_project_id, model }, id));
      if (!found) throw notFound("permission", id, "permission_id");
      const audit = auditWrite(actor, { type: "checkpoint.permission.deleted", details: { id } });
      if (!(await permissions.delete(found, [audit]))) throw notFound("permission", id, "permission_id");
      recent.forgetPermission(found.project_id, model);
    },
  };
}

function permissionOf(model: ModelRecord, project: ProjectRecord): PermissionRecord {
  return {
    id: newId("checkpoint_permission"),
    organization_id: project.organization_id,
    project_id: project.id,
    owner_project_id: model.project_id,
    model: model.id,
    created_at: Math.floor(Date.now() / 1000),
  };
}

function createdWrite(actor: Actor, { id, project_id, model }: PermissionRecord, projects: readonly ProjectRecord[]) {
  const project = projects.find((one) => one.id === project_id)!;
  const details = { id, data: { fine_tuned_model_checkpoint: model, project_id } };
  return auditWrite(actor, { type: "checkpoint.permission.created", details, project });
}

const shown = ({ id, created_at, project_id }: PermissionRecord): CheckpointPermission => ({
  ...{ id, object: "checkpoint.permission", created_at, project_id },
});

async function* chunks(projects: AsyncIterable<ProjectRecord>): AsyncGenerator<string[]> {
  let ids: string[] = [];
  for await (const { id } of projects) {
    if (ids.push(id) < lookedAtOnce) continue;
    yield ids;
    ids = [];
  }
  if (ids.length) yield ids;
}
