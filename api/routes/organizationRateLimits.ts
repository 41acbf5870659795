/** `/v1/organization/projects/{id}/rate_limits` */
import { createRoute, z } from "@hono/zod-openapi";
import { listOf } from "../../shared/schemas/list.ts";
import { ProjectRateLimit, UpdateProjectRateLimit } from "../../shared/schemas/rateLimit.ts";
import { newRouter, type Router } from "../router.ts";
import type { RateLimitService } from "../services/rateLimits.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Rate limits"];
const path = "/v1/organization/projects/{id}/rate_limits" as const;
const params = idParams("Id of a project of the organization, `proj_…`.");
const query = paging("project", { maximum: 100, usual: 100 }).extend({
  after: z
    .string()
    .regex(/^rl-(project|model-.+)$/, "not an id of this list")
    .optional()
    .openapi({ description: "Id of the last limit seen; the page begins behind it." }),
});
const ProjectRateLimitList = listOf(ProjectRateLimit, "ProjectRateLimitList");

const list = createRoute({
  method: "get",
  path,
  tags,
  summary: "List what a project may use",
  description: "The project's limits for all models together, and those of each model that it can call.",
  request: { params, query },
  responses: { 200: json(ProjectRateLimitList, "A page of limits: the project's, then by model."), ...failures },
});

const update = createRoute({
  method: "post",
  path: `${path}/{rate_limit_id}`,
  tags,
  summary: "Change what a project may use",
  description:
    "Of all models together, or of one: a call has to be within both. It holds everywhere within five seconds.",
  request: {
    params: params.extend({
      rate_limit_id: z.string().openapi({
        param: { name: "rate_limit_id", in: "path" },
        description: "Id of the limit: `rl-project`, or `rl-model-<model>`.",
      }),
    }),
    body: jsonBody(UpdateProjectRateLimit),
  },
  responses: { 200: json(ProjectRateLimit, "The limit."), ...failures, ...conflict, ...tooLarge, ...wrongMediaType },
});

export function rateLimitRoutes(limits: RateLimitService): Router {
  return newRouter()
    .openapi(list, async (c) => {
      return c.json(
        ProjectRateLimitList.parse(await limits.list(c.var.actor, c.req.valid("param").id, c.req.valid("query"))),
        200,
      );
    })
    .openapi(update, async (c) => {
      const { id, rate_limit_id } = c.req.valid("param");
      const limit = await limits.update(c.var.actor, id, rate_limit_id, c.req.valid("json"));
      return c.json(ProjectRateLimit.parse(limit), 200);
    });
}
