/** `/v1/organization/projects/{id}/api_keys`, `/v1/organization/admin_api_keys` */
import { createRoute, z } from "@hono/zod-openapi";
import {
  AdminApiKey,
  CreateAdminApiKey,
  CreatedAdminApiKey,
  DeletedAdminApiKey,
} from "../../shared/schemas/adminKey.ts";
import {
  CreatedProjectApiKey,
  CreateProjectApiKey,
  DeletedProjectApiKey,
  ProjectApiKey,
  RotateProjectApiKey,
  UpdateProjectApiKey,
} from "../../shared/schemas/apiKey.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { AdminKeyService } from "../services/organizationAdminKeys.ts";
import type { OrganizationKeyService } from "../services/organizationKeys.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";

import { attemptIn } from "./retries.ts";

const tags = ["API keys"];
const projectParams = idParams("Id of a project of the organization, `proj_…`.");
const params = projectParams.extend({
  key_id: z.string().openapi({ param: { name: "key_id", in: "path" }, description: "Id of the key, `key_…`." }),
});
const path = "/v1/organization/projects/{id}/api_keys" as const;
const ProjectApiKeyList = listOf(ProjectApiKey, "ProjectApiKeyList");
const bodies = { ...failures, ...conflict, ...tooLarge, ...wrongMediaType };

const create = createRoute({
  method: "post",
  path,
  tags,
  summary: "Create an API key of a project",
  description: "Millrace's own. Its secret is in this answer and nowhere else.",
  request: { params: projectParams, body: jsonBody(CreateProjectApiKey) },
  responses: { 200: json(CreatedProjectApiKey, "The key, with its secret."), ...bodies },
});

const list = createRoute({
  method: "get",
  path,
  tags,
  summary: "List a project's API keys",
  request: { params: projectParams, query: paging("api_key", { maximum: 100, usual: 20 }) },
  responses: { 200: json(ProjectApiKeyList, "A page of keys, oldest first."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: `${path}/{key_id}`,
  tags,
  summary: "Retrieve an API key of a project",
  request: { params },
  responses: { 200: json(ProjectApiKey, "The key, without its secret."), ...failures },
});

const update = createRoute({
  method: "post",
  path: `${path}/{key_id}`,
  tags,
  summary: "Change what an API key is for, or let it expire",
  description: "It holds everywhere within five seconds.",
  request: { params, body: jsonBody(UpdateProjectApiKey) },
  responses: { 200: json(ProjectApiKey, "The key."), ...bodies },
});

const rotate = createRoute({
  method: "post",
  path: `${path}/{key_id}/rotate`,
  tags,
  summary: "Rotate an API key",
  description: "Millrace's own: a new key of the same name, scopes and owner; the old one ends when the overlap does.",
  request: { params, body: jsonBody(RotateProjectApiKey) },
  responses: { 200: json(CreatedProjectApiKey, "The new key, with its secret."), ...bodies },
});

const remove = createRoute({
  method: "delete",
  path: `${path}/{key_id}`,
  tags,
  summary: "Revoke an API key",
  description: "It opens nothing any more, everywhere within five seconds.",
  request: { params },
  responses: { 200: json(DeletedProjectApiKey, "The key is gone."), ...failures },
});

const adminTags = ["Admin API keys"];
const adminPath = "/v1/organization/admin_api_keys" as const;
const adminParams = idParams("Id of the key, `adminkey_…`.");
const AdminApiKeyList = listOf(AdminApiKey, "AdminApiKeyList");

const createAdmin = createRoute({
  method: "post",
  path: adminPath,
  tags: adminTags,
  summary: "Create an admin key",
  description: "It administers the organization and opens no project. Its secret is in this answer and nowhere else.",
  request: { body: jsonBody(CreateAdminApiKey) },
  responses: { 200: json(CreatedAdminApiKey, "The key, with its secret."), ...bodies },
});

const listAdmin = createRoute({
  method: "get",
  path: adminPath,
  tags: adminTags,
  summary: "List admin keys",
  request: {
    query: paging("admin_api_key", { maximum: 100, usual: 20 }).extend({
      order: z.enum(["asc", "desc"]).default("asc").openapi({ description: "`asc`: oldest first." }),
    }),
  },
  responses: { 200: json(AdminApiKeyList, "A page of keys."), ...failures },
});

const retrieveAdmin = createRoute({
  method: "get",
  path: `${adminPath}/{id}`,
  tags: adminTags,
  summary: "Retrieve an admin key",
  request: { params: adminParams },
  responses: { 200: json(AdminApiKey, "The key, without its secret."), ...failures },
});

const removeAdmin = createRoute({
  method: "delete",
  path: `${adminPath}/{id}`,
  tags: adminTags,
  summary: "Revoke an admin key",
  description: "It opens nothing any more, everywhere within five seconds. No key revokes itself.",
  request: { params: adminParams },
  responses: { 200: json(DeletedAdminApiKey, "The key is gone."), ...failures, ...conflict },
});

export function organizationKeyRoutes(keys: OrganizationKeyService, adminKeys: AdminKeyService): Router {
  const router = newRouter()
    .openapi(create, async (c) => {
      const key = await keys.create(c.var.actor, c.req.valid("param").id, c.req.valid("json"), attemptIn(c));
      return c.json(CreatedProjectApiKey.parse(key), 200);
    })
    .openapi(list, async (c) => {
      const page = await keys.list(c.var.actor, c.req.valid("param").id, c.req.valid("query"));
      return c.json(ProjectApiKeyList.parse(page), 200);
    })
    .openapi(retrieve, async (c) => {
      const { id, key_id } = c.req.valid("param");
      return c.json(ProjectApiKey.parse(await keys.get(c.var.actor, id, key_id)), 200);
    })
    .openapi(update, async (c) => {
      const { id, key_id } = c.req.valid("param");
      return c.json(ProjectApiKey.parse(await keys.update(c.var.actor, id, key_id, c.req.valid("json"))), 200);
    })
    .openapi(rotate, async (c) => {
      const { id, key_id } = c.req.valid("param");
      return c.json(
        CreatedProjectApiKey.parse(await keys.rotate(c.var.actor, id, key_id, c.req.valid("json"), attemptIn(c))),
        200,
      );
    })
    .openapi(remove, async (c) => {
      const { id, key_id } = c.req.valid("param");
      await keys.delete(c.var.actor, id, key_id);
      return c.json(
        { id: key_id, object: "organization.project.api_key.deleted" as const, deleted: true as const },
        200,
      );
    });
  return router.route("/", adminKeyRoutes(adminKeys));
}

function adminKeyRoutes(adminKeys: AdminKeyService): Router {
  return newRouter()
    .openapi(createAdmin, async (c) => {
      return c.json(
        CreatedAdminApiKey.parse(await adminKeys.create(c.var.actor, c.req.valid("json"), attemptIn(c))),
        200,
      );
    })
    .openapi(listAdmin, async (c) => {
      return c.json(AdminApiKeyList.parse(await adminKeys.list(c.var.actor, c.req.valid("query"))), 200);
    })
    .openapi(retrieveAdmin, async (c) => {
      return c.json(AdminApiKey.parse(await adminKeys.get(c.var.actor, c.req.valid("param").id)), 200);
    })
    .openapi(removeAdmin, async (c) => {
      const { id } = c.req.valid("param");
      await adminKeys.delete(c.var.actor, id);
      return c.json({ id, object: "organization.admin_api_key.deleted" as const, deleted: true as const }, 200);
    });
}
