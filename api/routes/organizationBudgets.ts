/** `/v1/organization/projects/{id}/spend_limit` */
import { createRoute } from "@hono/zod-openapi";
import { SpendLimit, SpendLimitDeleted, UpdateSpendLimit } from "../../shared/schemas/budget.ts";
import { newRouter, type Router } from "../router.ts";
import type { BudgetService } from "../services/budgets.ts";
import { conflict, failures, idParams, json, jsonBody, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Projects"];
const params = idParams("Id of a project of the organization, `proj_…`.");
const path = "/v1/organization/projects/{id}/spend_limit" as const;

const retrieve = createRoute({
  method: "get",
  path,
  tags,
  summary: "Retrieve what a project may spend in a month",
  request: { params },
  responses: { 200: json(SpendLimit, "The limit, and what is spent and reserved of it."), ...failures },
});

const update = createRoute({
  method: "post",
  path,
  tags,
  summary: "Limit what a project may spend in a month",
  description:
    "A job that would exceed it is refused before it is queued; what queued and running jobs are still expected to cost is reserved. Calls of models are refused within a few seconds after nothing is left: those that come before are answered and charged, as is what a job costs beyond what was expected.",
  request: { params, body: jsonBody(UpdateSpendLimit) },
  responses: {
    200: json(SpendLimit, "The limit."),
    ...failures,
    ...conflict,
    ...tooLarge,
    ...wrongMediaType,
  },
});

const remove = createRoute({
  method: "delete",
  path,
  tags,
  summary: "Let a project spend what it likes",
  request: { params },
  responses: { 200: json(SpendLimitDeleted, "There is no limit any more."), ...failures, ...conflict },
});

export function organizationBudgetRoutes(budgets: BudgetService): Router {
  return newRouter()
    .openapi(retrieve, async (c) => {
      return c.json(SpendLimit.parse(await budgets.get(c.var.actor, c.req.valid("param").id)), 200);
    })
    .openapi(update, async (c) => {
      const limit = await budgets.set(c.var.actor, c.req.valid("param").id, c.req.valid("json"));
      return c.json(SpendLimit.parse(limit), 200);
    })
    .openapi(remove, async (c) => {
      await budgets.delete(c.var.actor, c.req.valid("param").id);
      return c.json({ object: "project.spend_limit.deleted" as const, deleted: true }, 200);
    });
}
