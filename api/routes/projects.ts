/** `/v1/organization/projects`, as far as a project's own key opens it. */
import { createRoute } from "@hono/zod-openapi";
import { OrganizationProject, UpdateProject } from "../../shared/schemas/project.ts";
import { newRouter, type Router } from "../router.ts";
import type { ProjectService } from "../services/projects.ts";
import { failures, idParams, json, jsonBody, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Projects"];
const params = idParams("Id of the key's own project, `proj_…`.");
const path = "/v1/organization/projects/{id}" as const;

const retrieve = createRoute({
  method: "get",
  path,
  tags,
  summary: "Retrieve the project",
  request: { params },
  responses: { 200: json(OrganizationProject, "The project."), ...failures },
});

const update = createRoute({
  method: "post",
  path,
  tags,
  summary: "Rename the project, or say what is kept of its models' answers",
  description: "A change holds everywhere within a few seconds.",
  request: { params, body: jsonBody(UpdateProject) },
  responses: { 200: json(OrganizationProject, "The project."), ...failures, ...tooLarge, ...wrongMediaType },
});

export function projectRoutes(projects: ProjectService): Router {
  return newRouter()
    .openapi(retrieve, async (c) => {
      return c.json(OrganizationProject.parse(await projects.get(c.var.project, c.req.valid("param").id)), 200);
    })
    .openapi(update, async (c) => {
      const project = await projects.update(c.var.project, c.req.valid("param").id, c.req.valid("json"));
      return c.json(OrganizationProject.parse(project), 200);
    });
}
