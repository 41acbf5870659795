/** Models one may call: the deployment's base models, and what the project tuned from them. */
import { baseModels, findBaseModel } from "../../shared/baseModels.ts";
import { ApiError } from "../../shared/errors.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Model, ModelRecord } from "../../shared/schemas/model.ts";
import type { Models } from "../../shared/stores/models.ts";
import type { Objects } from "../../shared/stores/objects.ts";
import type { Project } from "./projects.ts";

/** The SDK never asks for a second page of models. */
const everyModel = 10_000;
/** Longer names cannot exist: a key of the table ends there. */
const longestId = 512;

export interface ModelService {
  list(project: Project): Promise<Page<Model>>;
  get(project: Project, id: string): Promise<Model>;
  delete(project: Project, id: string): Promise<void>;
  /** The project's own model of this name; 404 naming `param` when it has none. */
  fineTuned(project: Project, id: string, param: string): Promise<ModelRecord>;
}

export function createModelService(models: Models, objects: Objects): ModelService {
  const fineTuned: ModelService["fineTuned"] = async (project, id, param) => {
    const model = id.length <= longestId ? await models.get(project.id, id) : undefined;
    if (!model) throw new ApiError("model_not_found", `No such model: '${id.slice(0, longestId)}'.`, { param });
    return model;
  };

  return {
    fineTuned,
    async list(project) {
      return toPage(
        [...baseModels, ...(await models.list(project.id, { limit: everyModel }))],
        Number.POSITIVE_INFINITY,
      );
    },
    get: async (project, id) => findBaseModel(id) ?? fineTuned(project, id, "model"),
    async delete(project, id) {
      if (findBaseModel(id)) {
        const message = `'${id}' is a base model of this deployment and cannot be deleted.`;
        throw new ApiError("permission_denied", message, { param: "model" });
      }
      const model = await fineTuned(project, id, "model");
      if (await models.delete(project.id, id)) await objects.delete(model.object_key);
    },
  };
}
