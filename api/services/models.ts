/** Models one may call: the deployment's base models, and what the project tuned from them. */
import { baseModels } from "../../shared/baseModels.ts";
import { ApiError } from "../../shared/errors.ts";
import type { ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import type { RecentModels } from "../../shared/inference/recentModels.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Model } from "../../shared/schemas/model.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";

/** The SDK never asks for a second page of models. */
const everyModel = 10_000;

export interface ModelService {
  list(project: Project): Promise<Page<Model>>;
  get(project: Project, id: string): Promise<Model>;
  delete(project: Project, id: string): Promise<void>;
}

export function createModelService(
  {
    models,
    bases,
    objects,
    aliases,
    functions,
  }: Pick<Stores, "models" | "bases" | "objects" | "aliases" | "functions">,
  lookUp: ModelLookUp,
  recent: Pick<RecentModels, "forget">,
): ModelService {
  return {
    async list(project) {
      const [imported, own] = await Promise.all([bases.list(), models.list(project.id, { limit: everyModel })]);
      return toPage([...baseModels, ...imported, ...own], Number.POSITIVE_INFINITY);
    },
    get: lookUp.callable,
    async delete(project, id) {
      if (await lookUp.base(id)) {
        const message = `'${id}' is a base model of this deployment and cannot be deleted.`;
        throw new ApiError("permission_denied", message, { param: "model" });
      }
      const model = await lookUp.fineTuned(project, id);
      const alias = (await aliases.list(project.id)).find((alias) => alias.model === id);
      if (alias) {
        const message = `The alias '${alias.name}' means '${id}': move or delete it first.`;
        throw new ApiError("invalid_state", message, { param: "model" });
      }
      const calling = await functions.calling(project.id, id);
      if (calling) {
        const message = `A variant of the function '${calling.name}' is '${id}': take it out first.`;
        throw new ApiError("invalid_state", message, { param: "model" });
      }
      const isDeleted = await models.delete(project.id, id);
      recent.forget(project.id, id);
      // The files of a base stay for models that were tuned from it.
      if (isDeleted && model.kind !== "base") await objects.delete(model.object_key);
    },
  };
}
