/** What an organization lets its projects use: read and changed by admin keys, looked up for every request. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { callableIfAny, type ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import { createRecent } from "../../shared/recent.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import type { ProjectRecord } from "../../shared/schemas/project.ts";
import {
  KeyLimits,
  type Limits,
  type ModelLimits,
  modelLimitId,
  modelOfLimit,
  type ProjectRateLimit,
  RateLimitRecord,
  rateLimitId,
  type UpdateProjectRateLimit,
} from "../../shared/schemas/rateLimit.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import type { ProjectLimits } from "../../shared/stores/rateLimits.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { TransactWrite } from "../../shared/stores/table.ts";
import type { Paging } from "./fineTuningJobs.ts";
import type { ModelService } from "./models.ts";
import type { ProjectService } from "./projects.ts";

export interface LimitLookUp {
  /** What holds for the project; of a moment ago. */
  of(project: string): Promise<Limits>;
  /** Of the models that have limits, likewise. */
  ofModels(project: string): Promise<ModelLimits>;
  /** To be told of what this process changed. */
  forget(project: string): void;
}

export function createLimitLookUp({ rateLimits }: Pick<Stores, "rateLimits">, usual: Limits): LimitLookUp {
  const recent = createRecent(async (id) => {
    const { project, models } = await rateLimits.get(id);
    return { limits: { ...usual, ...project } as Limits, models };
  });
  return {
    of: async (project) => (await recent.get(project))!.limits,
    ofModels: async (project) => (await recent.get(project))!.models,
    forget: recent.forget,
  };
}

export interface RateLimitService {
  /** The project's, then those of the models that it can call, by their names. */
  list(actor: Actor, project: string, paging: Paging): Promise<Page<ProjectRateLimit>>;
  update(actor: Actor, project: string, id: string, request: UpdateProjectRateLimit): Promise<ProjectRateLimit>;
}

interface Needs {
  projects: Pick<ProjectService, "require" | "requireActive">;
  models: Pick<ModelLookUp, "callable">;
  modelList: Pick<ModelService, "list">;
  usual: Limits;
  lookUp: Pick<LimitLookUp, "forget">;
}

const object = "project.rate_limit";

export function createRateLimitService(
  { rateLimits, permissions }: Pick<Stores, "rateLimits" | "permissions">,
  { projects, models, modelList, usual, lookUp }: Needs,
): RateLimitService {
  const ofProject = (project: RateLimitRecord): ProjectRateLimit => ({
    ...{ id: rateLimitId, object, model: "*" },
    ...usual,
    ...project,
  });
  const ofModel = ({ project, models }: ProjectLimits, model: string): ProjectRateLimit => {
    const { max_requests_per_1_minute, max_tokens_per_1_minute } = ofProject(project);
    return {
      ...{ id: modelLimitId(model), object, model },
      ...{ max_requests_per_1_minute, max_tokens_per_1_minute },
      ...models.get(model),
    };
  };
  const updateProject = async (id: string, request: UpdateProjectRateLimit, audit: AuditOf) => {
    const { project } = await rateLimits.get(id);
    const record = RateLimitRecord.parse(merged(project, request));
    await rateLimits.put(id, record, [audit(record)]);
    return ofProject(record);
  };
  const updateModel = async (id: string, model: string, request: UpdateProjectRateLimit, audit: AuditOf) => {
    const before = await rateLimits.get(id);
    const limits = KeyLimits.parse(merged(before.models.get(model) ?? {}, request));
    await rateLimits.putModel(id, model, limits, [audit(limits)]);
    return ofModel({ ...before, models: new Map([[model, limits]]) }, model);
  };
  return {
    async list(actor, id, { after, limit }) {
      const project = await projects.require(actor, id);
      const [limits, { data }, lent] = await Promise.all([
        rateLimits.get(id),
        modelList.list(project),
        permissions.modelsOf(id),
      ]);
      const names = [...data.map((model) => model.id), ...lent].sort();
      const seen = after === undefined ? undefined : modelOfLimit(after);
      const rest = names.filter((name) => seen === undefined || name > seen).slice(0, limit + 1);
      const first = after === undefined ? [ofProject(limits.project)] : [];
      return toPage([...first, ...rest.map((name) => ofModel(limits, name))], limit);
    },
    async update(actor, project_id, id, request) {
      const project = await projects.requireActive(actor, project_id);
      const model = modelOfLimit(id);
      await requireLimit(models, project, { id, model, request });
      const audit: AuditOf = (record) => {
        const type = Object.keys(record).length > 0 ? "rate_limit.updated" : "rate_limit.deleted";
        return auditWrite(actor, { type, details: { id, changes_requested: request }, project });
      };
      const changed =
        model === undefined
          ? await updateProject(project_id, request, audit)
          : await updateModel(project_id, model, request, audit);
      lookUp.forget(project_id);
      return changed;
    },
  };
}

type AuditOf = (record: RateLimitRecord) => TransactWrite;

/** Only what the limit is of counts: other names of a model, such as aliases, have none. */
async function requireLimit(
  models: Pick<ModelLookUp, "callable">,
  project: ProjectRecord,
  { id, model, request }: { id: string; model: string | undefined; request: UpdateProjectRateLimit },
): Promise<void> {
  if (id === rateLimitId) return;
  const found = model && (await callableIfAny(models, project, model));
  if (!found || found.id !== model) throw notFound("rate limit", id, "rate_limit_id");
  for (const param of ["max_fine_tuning_jobs_per_1_day", "max_stored_bytes"] as const) {
    if (request[param] === undefined) continue;
    throw new ApiError("invalid_value", `'${param}' is the project's, in '${rateLimitId}', and no model's.`, { param });
  }
}

/** Null is what holds without. */
function merged(before: object, request: UpdateProjectRateLimit): object {
  const changes = Object.entries(request).filter(([, amount]) => amount !== undefined);
  const all = { ...before, ...Object.fromEntries(changes) };
  return Object.fromEntries(Object.entries(all).filter(([, amount]) => amount !== null));
}

/** Nothing but more room helps: whoever tries again is refused again. */
export function quotaPassed({ bytes, stored, quota }: { bytes: number; stored: number; quota: number }): ApiError {
  const message = `The project's files take ${stored} of ${quota} bytes (max_stored_bytes), and ${bytes} more do not fit: delete files, or ask for more.`;
  return new ApiError("insufficient_quota", message, { param: "file" });
}
