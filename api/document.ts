/** The OpenAPI document, from the contracts of the routes. */
import { describeAccess } from "./access.ts";
import { describeRetries } from "./middleware/idempotencyContract.ts";
import { describeLimits } from "./middleware/limitsContract.ts";
import type { Router } from "./router.ts";

export type OpenApiDocument = ReturnType<Router["getOpenAPI31Document"]>;

const description = [
  "Fine-tuning and inference, answering the official `openai` SDK.",
  "**Limits.** Every answer to a project's key says in `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests` and the same of `-tokens` what the project, or the key where that has less, may still have of this minute.",
  "**Episodes.** Answers that share an outcome are an episode. The request header `x-millrace-episode: new` of any call of a model begins one; the answer's header of that name has its id, `ep_…`, which later calls send in it. Calls that have `metadata` take it as `metadata.episode_id`, too, which is the way for a batch's lines. Feedback on an episode is feedback on all of them.",
].join("\n\n");

export function describeApi(app: Router): OpenApiDocument {
  const bearer = { type: "http", scheme: "bearer" } as const;
  const securitySchemes = {
    key: { ...bearer, description: "An API key, which opens one project; the scopes of which it must have one." },
    admin_key: { ...bearer, description: "An admin key, which opens an organization and none of its projects." },
  };
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Millrace",
      version: "0.1.0",
      description,
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }],
  });
  for (const [path, methods] of Object.entries(document.paths ?? {})) describeAccess(path, methods);
  for (const methods of Object.values(document.paths ?? {})) describeLimits(methods);
  for (const path of Object.values(document.paths ?? {})) if (path.post) describeRetries(path.post);
  return { ...document, components: { ...document.components, securitySchemes } };
}
