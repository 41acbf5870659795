/** Models one may call: the deployment's base models, and what the project tuned from them. */
import { type BaseModel, baseModels, lookUpBase } from "../../shared/baseModels.ts";
import { ApiError } from "../../shared/errors.ts";
import type { BaseRecord } from "../../shared/schemas/base.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Model, ModelRecord } from "../../shared/schemas/model.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Project } from "./projects.ts";

/** The SDK never asks for a second page of models. */
const everyModel = 10_000;
/** Longer names cannot exist: a key of the table ends there. */
const longestId = 512;

export interface ModelService {
  list(project: Project): Promise<Page<Model>>;
  get(project: Project, id: string): Promise<Model>;
  delete(project: Project, id: string): Promise<void>;
  /** The base model of this name, if the deployment has one. */
  base(id: string): Promise<BaseModel | BaseRecord | undefined>;
  /** The project's own model of this name; 404 naming `param` when it has none. */
  fineTuned(project: Project, id: string, param: string): Promise<ModelRecord>;
}

export function createModelService({
  models,
  bases,
  objects,
}: Pick<Stores, "models" | "bases" | "objects">): ModelService {
  const base: ModelService["base"] = (id) => lookUpBase(bases, id);
  const fineTuned: ModelService["fineTuned"] = async (project, id, param) => {
    const model = id.length <= longestId ? await models.get(project.id, id) : undefined;
    if (!model) throw new ApiError("model_not_found", `No such model: '${id.slice(0, longestId)}'.`, { param });
    return model;
  };

  return {
    base,
    fineTuned,
    async list(project) {
      const [imported, own] = await Promise.all([bases.list(), models.list(project.id, { limit: everyModel })]);
      return toPage([...baseModels, ...imported, ...own], Number.POSITIVE_INFINITY);
    },
    get: async (project, id) => (await base(id)) ?? fineTuned(project, id, "model"),
    async delete(project, id) {
      if (await base(id)) {
        const message = `'${id}' is a base model of this deployment and cannot be deleted.`;
        throw new ApiError("permission_denied", message, { param: "model" });
      }
      const model = await fineTuned(project, id, "model");
      if (await models.delete(project.id, id)) await objects.delete(model.object_key);
    },
  };
}
