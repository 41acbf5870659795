/** `/v1/organization/projects/{id}/retention` and `/data`: Millrace's own, beside OpenAI's admin API. */
import { createRoute, z } from "@hono/zod-openapi";
import { ProjectErasure, ProjectRetention, RetentionPolicy } from "../../shared/schemas/retention.ts";
import { newRouter, type Router } from "../router.ts";
import type { RetentionService } from "../services/retention.ts";
import { conflict, failures, idParams, json, jsonBody, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Retention"];
const params = idParams("Id of a project of the organization, `proj_…`.");
const path = "/v1/organization/projects/{id}" as const;

const retrieve = createRoute({
  method: "get",
  path: `${path}/retention`,
  tags,
  summary: "Look at how long what a project stores is kept",
  request: { params },
  responses: { 200: json(ProjectRetention, "The policy, and what is overdue."), ...failures },
});

const set = createRoute({
  method: "post",
  path: `${path}/retention`,
  tags,
  summary: "Say how long what a project stores is kept",
  description:
    "It replaces what was said before: what is left out stays until it is deleted. Workers sweep at once, and then every hour.",
  request: { params, body: jsonBody(RetentionPolicy) },
  responses: { 200: json(ProjectRetention, "The policy."), ...failures, ...tooLarge, ...wrongMediaType },
});

const erase = createRoute({
  method: "delete",
  path: `${path}/data`,
  tags,
  summary: "Erase an archived project with all that it stored",
  description:
    "Cannot be undone. Workers remove its rows, usage among them, and its objects, and look again until nothing is left; the audit log stays.",
  request: {
    params,
    query: z.object({
      confirmation: z
        .string()
        .max(64)
        .optional()
        .openapi({ description: "The project's id, without which nothing is erased." }),
    }),
  },
  responses: { 200: json(ProjectErasure, "The erasure."), ...failures, ...conflict },
});

const erasure = createRoute({
  method: "get",
  path: `${path}/data`,
  tags,
  summary: "Look at how far the erasure of a project is",
  request: { params },
  responses: { 200: json(ProjectErasure, "The erasure."), ...failures },
});

export function retentionRoutes(retention: RetentionService): Router {
  return newRouter()
    .openapi(retrieve, async (c) => {
      return c.json(ProjectRetention.parse(await retention.get(c.var.actor, c.req.valid("param").id)), 200);
    })
    .openapi(set, async (c) => {
      const found = await retention.set(c.var.actor, c.req.valid("param").id, c.req.valid("json"));
      return c.json(ProjectRetention.parse(found), 200);
    })
    .openapi(erase, async (c) => {
      const { confirmation } = c.req.valid("query");
      const found = await retention.erase(c.var.actor, c.req.valid("param").id, confirmation);
      return c.json(ProjectErasure.parse(found), 200);
    })
    .openapi(erasure, async (c) => {
      return c.json(ProjectErasure.parse(await retention.erasure(c.var.actor, c.req.valid("param").id)), 200);
    });
}
