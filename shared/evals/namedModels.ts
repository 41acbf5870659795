/** Who answers by the name that a run or a grader gives: a model, what an alias means, or the variant that a function trusts. */
import { ApiError } from "../errors.ts";
import type { CallableModel, ModelLookUp } from "../inference/modelLookUp.ts";
import { functionPrefix, type Variant } from "../schemas/function.ts";
import type { Project } from "../schemas/project.ts";
import type { Stores } from "../stores/stores.ts";

export interface Named {
  model: CallableModel;
  /** Of a function: its incumbent, whatever experiment is under way, as an eval is no traffic. */
  variant: Variant | null;
}

export interface NamedModels {
  /** Throws ApiError naming `param`, 404 where nothing has this name. */
  find(project: Pick<Project, "id">, name: string, param?: string): Promise<Named>;
}

export function createNamedModels(
  models: Pick<ModelLookUp, "callable">,
  functions: Pick<Stores["functions"], "get">,
): NamedModels {
  return {
    async find(project, name, param = "model") {
      if (!name.startsWith(functionPrefix)) {
        return { model: await models.callable(project, name, param), variant: null };
      }
      const called = await functions.get(project.id, name.slice(functionPrefix.length));
      const variant = called?.variants.find((one) => one.name === called.incumbent);
      if (!variant) throw new ApiError("model_not_found", `No such function: '${name.slice(0, 100)}'.`, { param });
      return { model: await models.callable(project, variant.model, param), variant };
    },
  };
}
