/** Which variant answers a call of a function: decided once for a call, wherever it is answered. */
import { ApiError } from "../errors.ts";
import { createRecent } from "../recent.ts";
import type { Assignment } from "../schemas/assignment.ts";
import { functionPrefix, type Variant } from "../schemas/function.ts";
import type { Project } from "../schemas/project.ts";
import type { Functions } from "../stores/functions.ts";
import type { Endpoint } from "./endpoint.ts";
import { asVariant } from "./variantParameters.ts";

export interface Routed<Request> {
  /** As the endpoint is to answer it; the request itself where it names a model. */
  request: Request;
  /** Null: a model was called. */
  assignment: Assignment | null;
}

export interface RoutedCall<Request> {
  /** Of the inference. */
  id: string;
  project: Pick<Project, "id">;
  request: Request;
  /** Null: of none. */
  episode_id: string | null;
}

export interface FunctionRouting {
  /** Throws ApiError where there is no such function. */
  route<Request>(
    endpoint: Pick<Endpoint<Request, unknown>, "schema">,
    call: RoutedCall<Request>,
  ): Promise<Routed<Request>>;
  /** To be called by who changed it in this process. */
  forget(project: string, name: string): void;
}

export function createFunctionRouting(functions: Pick<Functions, "get">): FunctionRouting {
  const recent = createRecent((key) => functions.get(...(JSON.parse(key) as [string, string])));
  const keyOf = (project: string, name: string) => JSON.stringify([project, name]);
  return {
    forget: (project, name) => recent.forget(keyOf(project, name)),
    async route(endpoint, { project, request }) {
      const { model } = request as { model?: unknown };
      if (typeof model !== "string" || !model.startsWith(functionPrefix)) return { request, assignment: null };
      const found = await recent.get(keyOf(project.id, model.slice(functionPrefix.length)));
      if (!found) {
        const message = `No such function: '${model.slice(0, 100)}'.`;
        throw new ApiError("model_not_found", message, { param: "model" });
      }
      const variant = variantNamed(found.variants, found.incumbent);
      const assignment = { function: found.name, variant: variant.name };
      return { request: asVariant(endpoint, request, variant), assignment };
    },
  };
}

function variantNamed(variants: readonly Variant[], name: string): Variant {
  const variant = variants.find((one) => one.name === name);
  if (!variant) throw new Error(`A function has no variant '${name}'`);
  return variant;
}
