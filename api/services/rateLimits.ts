/** What an organization lets its projects use: read and changed by admin keys, looked up for every request. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { createRecent } from "../../shared/recent.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import {
  type Limits,
  type ProjectRateLimit,
  RateLimitRecord,
  rateLimitId,
  type UpdateProjectRateLimit,
} from "../../shared/schemas/rateLimit.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { ProjectService } from "./projects.ts";

export interface LimitLookUp {
  /** What holds for the project; of a moment ago. */
  of(project: string): Promise<Limits>;
  /** To be told of what this process changed. */
  forget(project: string): void;
}

export function createLimitLookUp({ rateLimits }: Pick<Stores, "rateLimits">, usual: Limits): LimitLookUp {
  const recent = createRecent(async (project) => ({ ...usual, ...(await rateLimits.get(project)) }) as Limits);
  return { of: async (project) => (await recent.get(project))!, forget: recent.forget };
}

export interface RateLimitService {
  list(actor: Actor, project: string): Promise<Page<ProjectRateLimit>>;
  update(actor: Actor, project: string, id: string, request: UpdateProjectRateLimit): Promise<ProjectRateLimit>;
}

export function createRateLimitService(
  { rateLimits }: Pick<Stores, "rateLimits">,
  projects: Pick<ProjectService, "require" | "requireActive">,
  { usual, lookUp }: { usual: Limits; lookUp: LimitLookUp },
): RateLimitService {
  const shown = (record: RateLimitRecord): ProjectRateLimit => ({
    ...{ id: rateLimitId, object: "project.rate_limit", model: "*" },
    ...usual,
    ...record,
  });
  return {
    async list(actor, id) {
      await projects.require(actor, id);
      return toPage([shown(await rateLimits.get(id))], 1);
    },
    async update(actor, project_id, id, request) {
      const project = await projects.requireActive(actor, project_id);
      if (id !== rateLimitId) throw notFound("rate limit", id, "rate_limit_id");
      const merged = { ...(await rateLimits.get(project_id)), ...withoutAbsent(request) };
      // Null is the deployment's again.
      const record = RateLimitRecord.parse(
        Object.fromEntries(Object.entries(merged).filter(([, each]) => each !== null)),
      );
      const type = Object.keys(record).length > 0 ? "rate_limit.updated" : "rate_limit.deleted";
      const details = { id, changes_requested: request };
      await rateLimits.put(project_id, record, [auditWrite(actor, { type, details, project })]);
      lookUp.forget(project_id);
      return shown(record);
    },
  };
}

const withoutAbsent = (request: UpdateProjectRateLimit) =>
  Object.fromEntries(Object.entries(request).filter(([, amount]) => amount !== undefined));

/** Nothing but more room helps: whoever tries again is refused again. */
export function quotaPassed({ bytes, stored, quota }: { bytes: number; stored: number; quota: number }): ApiError {
  const message = `The project's files take ${stored} of ${quota} bytes (max_stored_bytes), and ${bytes} more do not fit: delete files, or ask for more.`;
  return new ApiError("insufficient_quota", message, { param: "file" });
}
