/** `/v1/aliases` */
import { createRoute, z } from "@hono/zod-openapi";
import { Alias, AliasMove, aliasId, CreateAlias, DeletedAlias, MoveAlias } from "../../shared/schemas/alias.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { AliasService } from "../services/aliases.ts";
import { conflict, failures, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Aliases"];
const params = z.object({
  name: z.string().openapi({ param: { name: "name", in: "path" }, description: "The alias's name." }),
});
const AliasList = listOf(Alias, "AliasList");
const AliasMoveList = listOf(AliasMove, "AliasMoveList");
const bodies = { ...failures, ...conflict, ...tooLarge, ...wrongMediaType };

const create = createRoute({
  method: "post",
  path: "/v1/aliases",
  tags,
  summary: "Give a model a movable name",
  description:
    "Wherever a model is named, `alias:<name>` may stand; a name that is a whole `ft:…` stands by itself. Answers name the model itself.",
  request: { body: jsonBody(CreateAlias) },
  responses: { 200: json(Alias, "The alias."), ...bodies },
});

const list = createRoute({
  method: "get",
  path: "/v1/aliases",
  tags,
  summary: "List aliases",
  responses: { 200: json(AliasList, "All aliases of the project, by name."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/aliases/{name}",
  tags,
  summary: "Retrieve an alias",
  request: { params },
  responses: { 200: json(Alias, "The alias."), ...failures },
});

const move = createRoute({
  method: "post",
  path: "/v1/aliases/{name}",
  tags,
  summary: "Move an alias to another model",
  description: "One write: a call means the one model or the other. It holds everywhere within five seconds.",
  request: { params, body: jsonBody(MoveAlias) },
  responses: { 200: json(Alias, "The alias."), ...bodies },
});

const moves = createRoute({
  method: "get",
  path: "/v1/aliases/{name}/moves",
  tags,
  summary: "List an alias's moves, newest first",
  request: { params, query: paging("alias_move", { maximum: 100, usual: 20 }) },
  responses: { 200: json(AliasMoveList, "A page of moves: who, when, from where to where, and why."), ...failures },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/aliases/{name}",
  tags,
  summary: "Delete an alias",
  request: { params },
  responses: { 200: json(DeletedAlias, "The alias is gone; its moves are kept."), ...failures },
});

export function aliasRoutes(aliases: AliasService): Router {
  return newRouter()
    .openapi(create, async (c) => c.json(Alias.parse(await aliases.create(c.var, c.req.valid("json"))), 200))
    .openapi(list, async (c) => c.json(AliasList.parse(await aliases.list(c.var.project)), 200))
    .openapi(retrieve, async (c) => {
      return c.json(Alias.parse(await aliases.get(c.var.project, c.req.valid("param").name)), 200);
    })
    .openapi(move, async (c) => {
      return c.json(Alias.parse(await aliases.move(c.var, c.req.valid("param").name, c.req.valid("json"))), 200);
    })
    .openapi(moves, async (c) => {
      const page = await aliases.moves(c.var.project, c.req.valid("param").name, c.req.valid("query"));
      return c.json(AliasMoveList.parse(page), 200);
    })
    .openapi(remove, async (c) => {
      const { name } = c.req.valid("param");
      await aliases.delete(c.var, name);
      return c.json({ id: aliasId(name), object: "alias" as const, deleted: true as const }, 200);
    });
}
