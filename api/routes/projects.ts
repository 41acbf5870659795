/** `/v1/organization/projects`: all of them with an admin key; its own with a project's key. */
import { createRoute, z } from "@hono/zod-openapi";
import { listOf } from "../../shared/schemas/list.ts";
import { CreateProject, OrganizationProject, UpdateProject } from "../../shared/schemas/project.ts";
import { newRouter, type Router } from "../router.ts";
import type { ProjectService } from "../services/projects.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Projects"];
const params = idParams("Id of a project of the organization, `proj_…`; with a project's key its own.");
const path = "/v1/organization/projects" as const;
const OrganizationProjectList = listOf(OrganizationProject, "OrganizationProjectList");
const bodies = { ...failures, ...tooLarge, ...wrongMediaType };

const create = createRoute({
  method: "post",
  path,
  tags,
  summary: "Create a project",
  request: { body: jsonBody(CreateProject) },
  responses: { 200: json(OrganizationProject, "The project; it has no keys yet."), ...bodies },
});

const list = createRoute({
  method: "get",
  path,
  tags,
  summary: "List projects",
  request: {
    query: paging("project", { maximum: 100, usual: 20 }).extend({
      include_archived: z
        .enum(["true", "false"])
        .default("false")
        .openapi({ description: "`true`: also those that are archived." }),
    }),
  },
  responses: {
    200: json(OrganizationProjectList, "A page of the organization's projects, oldest first."),
    ...failures,
  },
});

const retrieve = createRoute({
  method: "get",
  path: `${path}/{id}`,
  tags,
  summary: "Retrieve a project",
  request: { params },
  responses: { 200: json(OrganizationProject, "The project."), ...failures },
});

const update = createRoute({
  method: "post",
  path: `${path}/{id}`,
  tags,
  summary: "Rename a project, or say what is kept of its models' answers",
  description: "A change holds everywhere within five seconds.",
  request: { params, body: jsonBody(UpdateProject) },
  responses: { 200: json(OrganizationProject, "The project."), ...bodies, ...conflict },
});

const archive = createRoute({
  method: "post",
  path: `${path}/{id}/archive`,
  tags,
  summary: "Archive a project",
  description:
    "Within five seconds its keys open nothing any more, and nothing brings them back. Its data stays until it expires or is deleted.",
  request: { params },
  responses: { 200: json(OrganizationProject, "The project."), ...failures },
});

export function projectRoutes(projects: ProjectService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      return c.json(
        OrganizationProject.parse(await projects.create(c.var.actor, c.req.valid("json"), attemptIn(c))),
        200,
      );
    })
    .openapi(list, async (c) => {
      const { include_archived, ...page } = c.req.valid("query");
      const found = await projects.list(c.var.actor, { ...page, include_archived: include_archived === "true" });
      return c.json(OrganizationProjectList.parse(found), 200);
    })
    .openapi(retrieve, async (c) => {
      return c.json(OrganizationProject.parse(await projects.get(c.var.actor, c.req.valid("param").id)), 200);
    })
    .openapi(update, async (c) => {
      const project = await projects.update(c.var.actor, c.req.valid("param").id, c.req.valid("json"));
      return c.json(OrganizationProject.parse(project), 200);
    })
    .openapi(archive, async (c) => {
      return c.json(OrganizationProject.parse(await projects.archive(c.var.actor, c.req.valid("param").id)), 200);
    });
}
