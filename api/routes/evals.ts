/** `/v1/evals` */
import { createRoute, z } from "@hono/zod-openapi";
import { CreateEval, DeletedEval, Eval, UpdateEval } from "../../shared/schemas/eval.ts";
import { EvalComparison } from "../../shared/schemas/evalComparison.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { EvalComparisonService } from "../services/evalComparison.ts";
import type { EvalService } from "../services/evals.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Evals"];
const params = idParams("Id of the eval, `eval_…`.");
const bodies = { ...failures, ...tooLarge, ...wrongMediaType };
const EvalList = listOf(Eval, "EvalList");
const order = z.enum(["asc", "desc"]).default("asc").openapi({ description: "By time." });

const create = createRoute({
  method: "post",
  path: "/v1/evals",
  tags,
  summary: "Say what a good output is",
  description:
    "An eval is a schema of items and the graders that outputs must pass. `python` graders are refused: no code of a client is run here.",
  request: { body: jsonBody(CreateEval) },
  responses: { 201: json(Eval, "The eval."), ...bodies },
});

const list = createRoute({
  method: "get",
  path: "/v1/evals",
  tags,
  summary: "List evals, oldest first",
  request: {
    query: paging("eval", { maximum: 100, usual: 20 }).extend({
      order,
      order_by: z
        .enum(["created_at", "updated_at"])
        .default("created_at")
        .openapi({ description: "Which time: of its creation, or of its last change." }),
    }),
  },
  responses: { 200: json(EvalList, "A page of evals."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/evals/{id}",
  tags,
  summary: "Retrieve an eval",
  request: { params },
  responses: { 200: json(Eval, "The eval."), ...failures },
});

const update = createRoute({
  method: "post",
  path: "/v1/evals/{id}",
  tags,
  summary: "Rename or label an eval",
  request: { params, body: jsonBody(UpdateEval) },
  responses: { 200: json(Eval, "The eval."), ...bodies },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/evals/{id}",
  tags,
  summary: "Delete an eval with its runs",
  request: { params },
  responses: { 200: json(DeletedEval, "It is gone."), ...failures },
});

const runId = (description: string) =>
  z
    .string()
    .regex(/^evalrun_[0-9a-z]{26}$/, "not an eval run's id")
    .optional()
    .openapi({ description });
const path = String.raw`item(\.\w+|\[\d+\])+`;

const compare = createRoute({
  method: "get",
  path: "/v1/evals/{id}/compare",
  tags,
  summary: "Compare two runs on the same items",
  description:
    "Millrace's own. Items are paired by their content; McNemar's test, intervals of the difference, and tables by class and by slice say whether `b` is better than `a`.",
  request: {
    params,
    query: z.object({
      a: runId("A completed run, such as of the model in use. Default: the last completed but one."),
      b: runId("A completed run, such as of a candidate. Default: the last completed."),
      class_field: z
        .string()
        .max(200)
        .regex(new RegExp(`^${path}$`), "not a path such as item.label")
        .optional()
        .openapi({
          description:
            "Path of the right answer, such as `item.label`. Default: what a string_check compares the output with.",
        }),
      slice_by: z
        .string()
        .max(500)
        .regex(new RegExp(`^${path}(,${path}){0,4}$`), "not one to five paths such as item.language, parted by commas")
        .optional()
        .openapi({ description: "Paths of one to five fields, such as `item.language,item.source`." }),
    }),
  },
  responses: { 200: json(EvalComparison, "How they differ."), ...failures, ...conflict },
});

export function evalRoutes(evals: EvalService, comparisons: EvalComparisonService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const made = await evals.create(c.var.project, c.req.valid("json"), attemptIn(c));
      return c.json(Eval.parse(made), 201);
    })
    .openapi(list, async (c) => c.json(EvalList.parse(await evals.list(c.var.project, c.req.valid("query"))), 200))
    .openapi(retrieve, async (c) => c.json(Eval.parse(await evals.get(c.var.project, c.req.valid("param").id)), 200))
    .openapi(update, async (c) => {
      const changed = await evals.update(c.var.project, c.req.valid("param").id, c.req.valid("json"));
      return c.json(Eval.parse(changed), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid("param");
      await evals.delete(c.var.project, id);
      return c.json(DeletedEval.parse({ object: "eval.deleted", deleted: true, eval_id: id }), 200);
    })
    .openapi(compare, async (c) => {
      const found = await comparisons.compare(c.var.project, c.req.valid("param").id, c.req.valid("query"));
      return c.json(EvalComparison.parse(found), 200);
    });
}
