/** How long what projects store is kept, and the erasure of a project with all that it has. */
import { ApiError } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import { findOverdue } from "../../shared/retention/sweep.ts";
import type { AuditedType } from "../../shared/schemas/auditLog.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import type { ProjectRecord } from "../../shared/schemas/project.ts";
import type {
  ErasureRecord,
  ProjectErasure,
  ProjectRetention,
  RetentionPolicy,
  RetentionRecord,
} from "../../shared/schemas/retention.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import { keepAll } from "../../shared/stores/retentions.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { ProjectService } from "./projects.ts";

export interface RetentionService {
  get(actor: Actor, project: string): Promise<ProjectRetention>;
  set(actor: Actor, project: string, policy: RetentionPolicy): Promise<ProjectRetention>;
  /** Of a project that is archived; `confirmation` is its id. Asked for again it is what it was. */
  erase(actor: Actor, project: string, confirmation: string | undefined): Promise<ProjectErasure>;
  erasure(actor: Actor, project: string): Promise<ProjectErasure>;
}

export function createRetentionService(stores: Stores, projects: Pick<ProjectService, "require">): RetentionService {
  const { retentions, erasures } = stores;
  const shown = async (record: RetentionRecord | undefined): Promise<ProjectRetention> => ({
    object: "organization.project.retention",
    policy: record?.policy ?? keepAll,
    swept_at: record?.swept_at ?? null,
    overdue: record ? await findOverdue(stores, record) : [],
  });
  const told = (actor: Actor, type: AuditedType, project: ProjectRecord, data?: Record<string, unknown>) =>
    auditWrite(actor, { type, details: { id: project.id, ...(data && { changes_requested: data }) }, project });

  const find = async ({ organization_id }: Actor, id: string) =>
    isId("project", id) ? erasures.get(organization_id, id) : undefined;

  return {
    async get(actor, id) {
      const project = await projects.require(actor, id);
      return shown(await retentions.get(project.id));
    },
    async set(actor, id, policy) {
      const project = await projects.require(actor, id);
      const audit = told(actor, "project.updated", project, { retention: policy });
      for (;;) {
        if (await retentions.set(id, policy, await retentions.get(id), [audit])) break;
      }
      return shown(await retentions.get(id));
    },
    async erase(actor, id, confirmation) {
      const earlier = await find(actor, id);
      if (earlier) return shownErasure(earlier);
      const project = await projects.require(actor, id);
      if (project.archived_at === undefined) {
        throw new ApiError("invalid_state", "Archive the project first: what is at work in it must come to rest.");
      }
      if (confirmation !== id) {
        const message = `Erasing cannot be undone: confirm it with the project's id, '${id}'.`;
        throw new ApiError("invalid_value", message, { param: "confirmation" });
      }
      const record: ErasureRecord = {
        ...{ organization_id: actor.organization_id, erased_project: id, revision: 0 },
        ...{ requested_at: Math.floor(Date.now() / 1000), finished_at: null },
        ...{ cursor: null, removed_rows: 0, removed_objects: 0, found: 0 },
      };
      await erasures.create(record, [told(actor, "project.deleted", project)]);
      return shownErasure((await erasures.get(actor.organization_id, id)) ?? record);
    },
    async erasure(actor, id) {
      const found = await find(actor, id);
      if (found) return shownErasure(found);
      await projects.require(actor, id);
      return {
        ...erasureOf(id),
        status: "none",
        requested_at: null,
        finished_at: null,
        removed_rows: 0,
        removed_objects: 0,
      };
    },
  };
}

const erasureOf = (project_id: string) => ({ object: "organization.project.erasure" as const, project_id });

const shownErasure = (record: ErasureRecord): ProjectErasure => ({
  ...erasureOf(record.erased_project),
  status: record.finished_at === null ? "in_progress" : "completed",
  requested_at: record.requested_at,
  finished_at: record.finished_at,
  removed_rows: record.removed_rows,
  removed_objects: record.removed_objects,
});
