/** Aliases as a client sees them: made, moved and looked up; a move is one write, and its history another in the same. */
import { ApiError, notFound } from "../../shared/errors.ts";
import type { ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import type { RecentModels } from "../../shared/inference/recentModels.ts";
import {
  type Alias,
  type AliasMove,
  type AliasRecord,
  aliasId,
  type CreateAlias,
  type MoveAlias,
} from "../../shared/schemas/alias.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Paging } from "./fineTuningJobs.ts";

/** Who asks. */
export interface Caller {
  project: Project;
  /** Id of the API key. */
  key: string;
}

export interface AliasService {
  create(caller: Caller, request: CreateAlias): Promise<Alias>;
  move(caller: Caller, name: string, request: MoveAlias): Promise<Alias>;
  get(project: Project, name: string): Promise<Alias>;
  list(project: Project): Promise<Page<Alias>>;
  moves(project: Project, name: string, paging: Paging): Promise<Page<AliasMove>>;
  delete(caller: Caller, name: string): Promise<void>;
}

export function createAliasService(
  { aliases, functions }: Pick<Stores, "aliases" | "functions">,
  models: ModelLookUp,
  recent: Pick<RecentModels, "forgetAlias">,
): AliasService {
  const require = async (project: Project, name: string): Promise<AliasRecord> => {
    const record = await aliases.get(project.id, name);
    if (!record) throw notFound("alias", name);
    return record;
  };
  /** A name that leads to another name would have no model of its own to go back to. */
  const requireModel = async (project: Project, id: string): Promise<void> => {
    if ((await models.callable(project, id)).id === id) return;
    throw new ApiError("invalid_value", "An alias names a model, not another alias.", { param: "model" });
  };
  /** A model is called by its name, whatever an alias of that name says. */
  const requireFree = async (project: Project, name: string): Promise<void> => {
    const model = name === aliasId(name) && (await models.fineTuned(project, name).catch(unlessMissing));
    if (model) throw new ApiError("invalid_value", `'${name}' is a model of yours.`, { param: "name" });
  };

  return {
    async create({ project, key }, { name, model, reason = null }) {
      await requireModel(project, model);
      await requireFree(project, name);
      const now = Math.floor(Date.now() / 1000);
      const alias = { id: aliasId(name), object: "alias" as const, name, model, created_at: now, moved_at: now };
      const record: AliasRecord = { ...alias, project_id: project.id };
      if (await aliases.create(record, { moved_by: key, reason })) return record;
      const earlier = await require(project, name);
      // Asked for again because the answer was lost on its way.
      if (earlier.model === model) return earlier;
      const message = `The alias '${name}' exists and means '${earlier.model}': move it instead.`;
      throw new ApiError("invalid_state", message, { param: "name" });
    },

    async move({ project, key }, name, { model, from, reason = null }) {
      await requireModel(project, model);
      for (;;) {
        const record = await require(project, name);
        if (record.model === model) return record;
        if (from != null && record.model !== from) {
          const message = `The alias '${name}' means '${record.model}', not '${from}'.`;
          throw new ApiError("invalid_state", message, { param: "from" });
        }
        // Whoever loses the race looks again.
        if (!(await aliases.move(record, model, { moved_by: key, reason }))) continue;
        recent.forgetAlias(project.id, name);
        return require(project, name);
      }
    },

    get: require,
    list: async (project) => toPage(await aliases.list(project.id), Number.POSITIVE_INFINITY),
    async moves(project, name, { limit, after }) {
      const found = await aliases.moves(project.id, name, { limit: limit + 1, ...(after && { after }) });
      if (!found.length && !after) throw notFound("alias", name);
      return toPage(found, limit);
    },
    async delete({ project, key }, name) {
      const record = await require(project, name);
      const calling = await functions.calling(project.id, record.id);
      if (calling) {
        const message = `A variant of the function '${calling.name}' is '${record.id}': take it out first.`;
        throw new ApiError("invalid_state", message, { param: "name" });
      }
      if (!(await aliases.delete(record, { moved_by: key, reason: null }))) throw notFound("alias", name);
      recent.forgetAlias(project.id, name);
    },
  };
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof ApiError && error.code === "model_not_found")) throw error;
}
