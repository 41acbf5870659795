/**
 * Calls of models that have a limit of their own, held to it where it is known which model answers: behind functions, and
 * whatever alias named it.
 */
import type { FunctionRouting, RoutedCall } from "../inference/functionRouting.ts";
import { callableIfAny, type ModelLookUp } from "../inference/modelLookUp.ts";
import type { ModelLimits } from "../schemas/rateLimit.ts";
import type { Limiter } from "./limiter.ts";
import { waitFor } from "./told.ts";

interface Needs {
  /** By model; empty for most projects, whose calls then cost no more. */
  limitsOf(project: string): Promise<ModelLimits>;
  models: Pick<ModelLookUp, "callable">;
  limiter: Pick<Limiter, "admitModel">;
}

export function limitModels(routing: FunctionRouting, { limitsOf, models, limiter }: Needs): FunctionRouting {
  const admit = async ({ id, project, request }: RoutedCall<unknown>, limits: ModelLimits) => {
    const { model: name } = request as { model?: unknown };
    if (typeof name !== "string") return;
    const model = await callableIfAny(models, project, name);
    const own = model && limits.get(model.id);
    const refused = own && (await limiter.admitModel({ project: project.id, model: model.id, limits: own }, id));
    if (refused) throw waitFor(refused);
  };
  return {
    ...routing,
    async route(endpoint, call) {
      const routed = await routing.route(endpoint, call);
      const limits = await limitsOf(call.project.id);
      if (limits.size > 0) await admit({ ...call, request: routed.request }, limits);
      return routed;
    },
  };
}
