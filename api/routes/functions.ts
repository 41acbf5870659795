/** `/v1/functions` */
import { createRoute, z } from "@hono/zod-openapi";
import { CreateFunction, DeletedFunction, MillraceFunction, UpdateFunction } from "../../shared/schemas/function.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { FunctionService } from "../services/functions.ts";
import { conflict, failures, json, jsonBody, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Functions"];
const params = z.object({
  name: z
    .string()
    .openapi({ param: { name: "name", in: "path" }, description: "The function's name, or its id, `fn:…`." }),
});
const FunctionList = listOf(MillraceFunction, "FunctionList");
const bodies = { ...failures, ...conflict, ...tooLarge, ...wrongMediaType };

const create = createRoute({
  method: "post",
  path: "/v1/functions",
  tags,
  summary: "Name a task, and the variants that may do it",
  description:
    "Wherever a request names a model, `fn:<name>` may stand; the incumbent answers, or the variant that an experiment assigns. The answer's `model` is the model that answered; the headers `x-millrace-function` and `x-millrace-variant` tell the rest.",
  request: { body: jsonBody(CreateFunction) },
  responses: { 200: json(MillraceFunction, "The function."), ...bodies },
});

const list = createRoute({
  method: "get",
  path: "/v1/functions",
  tags,
  summary: "List functions",
  responses: { 200: json(FunctionList, "All functions of the project, by name."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/functions/{name}",
  tags,
  summary: "Retrieve a function",
  request: { params },
  responses: { 200: json(MillraceFunction, "The function."), ...failures },
});

const update = createRoute({
  method: "post",
  path: "/v1/functions/{name}",
  tags,
  summary: "Change a function's description, variants or incumbent",
  description: "One write, which holds everywhere within five seconds.",
  request: { params, body: jsonBody(UpdateFunction) },
  responses: { 200: json(MillraceFunction, "The function."), ...bodies },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/functions/{name}",
  tags,
  summary: "Delete a function",
  request: { params },
  responses: { 200: json(DeletedFunction, "The function is gone."), ...failures, ...conflict },
});

export function functionRoutes(functions: FunctionService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      return c.json(MillraceFunction.parse(await functions.create(c.var, c.req.valid("json"))), 200);
    })
    .openapi(list, async (c) => c.json(FunctionList.parse(await functions.list(c.var.project)), 200))
    .openapi(retrieve, async (c) => {
      return c.json(MillraceFunction.parse(await functions.get(c.var.project, c.req.valid("param").name)), 200);
    })
    .openapi(update, async (c) => {
      const { name } = c.req.valid("param");
      return c.json(MillraceFunction.parse(await functions.update(c.var, name, c.req.valid("json"))), 200);
    })
    .openapi(remove, async (c) => {
      const { name } = c.req.valid("param");
      await functions.delete(c.var.project, name);
      const id = name.startsWith("fn:") ? name : `fn:${name}`;
      return c.json({ id, object: "function" as const, deleted: true as const }, 200);
    });
}
