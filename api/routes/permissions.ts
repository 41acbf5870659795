/** `/v1/fine_tuning/checkpoints/{id}/permissions` */
import { createRoute, z } from "@hono/zod-openapi";
import { listOf } from "../../shared/schemas/list.ts";
import {
  CheckpointPermission,
  CreateCheckpointPermissions,
  DeletedCheckpointPermission,
} from "../../shared/schemas/permission.ts";
import { newRouter, type Router } from "../router.ts";
import type { PermissionService } from "../services/permissions.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Fine-tuning"];
const params = idParams("Name of a model that a project of the organization tuned, `ft:…`.");
const path = "/v1/fine_tuning/checkpoints/{id}/permissions" as const;
const CheckpointPermissionList = listOf(CheckpointPermission, "CheckpointPermissionList");

const create = createRoute({
  method: "post",
  path,
  tags,
  summary: "Let other projects call a model",
  description:
    "They may call it by its name, and nothing else: it stays its project's, is not in their lists, and cannot be tuned further or deleted by them. Takes an admin key.",
  request: { params, body: jsonBody(CreateCheckpointPermissions) },
  responses: {
    200: json(CheckpointPermissionList, "One for each project; those that were there stay as they are."),
    ...{ ...failures, ...conflict, ...tooLarge, ...wrongMediaType },
  },
});

const list = createRoute({
  method: "get",
  path,
  tags,
  summary: "List which projects may call a model",
  description: "Takes an admin key.",
  request: {
    params,
    query: paging("checkpoint_permission", { maximum: 100, usual: 10 }).extend({
      order: z
        .enum(["ascending", "descending"])
        .default("descending")
        .openapi({ description: "`descending`: newest first." }),
      project_id: z.string().max(64).optional().openapi({ description: "Only this project's." }),
    }),
  },
  responses: { 200: json(CheckpointPermissionList, "A page of permissions."), ...failures, ...conflict },
});

const remove = createRoute({
  method: "delete",
  path: `${path}/{permission_id}`,
  tags,
  summary: "Take a permission back",
  description: "Within five seconds calls are refused everywhere. Takes an admin key.",
  request: {
    params: params.extend({
      permission_id: z
        .string()
        .openapi({ param: { name: "permission_id", in: "path" }, description: "Id of the permission, `cp_…`." }),
    }),
  },
  responses: { 200: json(DeletedCheckpointPermission, "The permission is gone."), ...failures, ...conflict },
});

export function permissionRoutes(permissions: PermissionService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const { project_ids } = c.req.valid("json");
      const page = await permissions.create(c.var.actor, c.req.valid("param").id, project_ids);
      return c.json(CheckpointPermissionList.parse(page), 200);
    })
    .openapi(list, async (c) => {
      const page = await permissions.list(c.var.actor, c.req.valid("param").id, c.req.valid("query"));
      return c.json(CheckpointPermissionList.parse(page), 200);
    })
    .openapi(remove, async (c) => {
      const { id: model, permission_id: id } = c.req.valid("param");
      await permissions.delete(c.var.actor, model, id);
      return c.json({ id, object: "checkpoint.permission" as const, deleted: true as const }, 200);
    });
}
