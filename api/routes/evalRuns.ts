/** `/v1/evals/{id}/runs` and the output items of a run. */
import { createRoute, z } from "@hono/zod-openapi";
import { toldStates } from "../../shared/evalRunStates.ts";
import { EvalOutputItem, outputItemStates } from "../../shared/schemas/evalOutputItem.ts";
import { CreateEvalRun, DeletedEvalRun, EvalRun } from "../../shared/schemas/evalRun.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { EvalRunService } from "../services/evalRuns.ts";
import { conflict, failures, json, jsonBody, paging, quotaExceeded, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Evals"];
const EvalRunList = listOf(EvalRun, "EvalRunList");
const EvalOutputItemList = listOf(EvalOutputItem, "EvalOutputItemList");
const inPath = (name: string, description: string) => z.string().openapi({ param: { name, in: "path" }, description });
const evalParams = z.object({ eval_id: inPath("eval_id", "Id of the eval, `eval_…`.") });
const params = evalParams.extend({ run_id: inPath("run_id", "Id of the run, `evalrun_…`.") });
const itemParams = params.extend({
  output_item_id: inPath("output_item_id", "Id of the output item, `outputitem_…`."),
});
const order = z.enum(["asc", "desc"]).default("asc").openapi({ description: "By time." });
const limits = { maximum: 100, usual: 20 };
const ended = { 200: json(EvalRun, "The run; what was done by then stays."), ...failures, ...conflict };

const create = createRoute({
  method: "post",
  path: "/v1/evals/{eval_id}/runs",
  tags,
  summary: "Have items answered and graded",
  request: { params: evalParams, body: jsonBody(CreateEvalRun) },
  responses: {
    201: json(EvalRun, "The run, not yet begun."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...quotaExceeded,
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/evals/{eval_id}/runs",
  tags,
  summary: "List an eval's runs, oldest first",
  request: {
    params: evalParams,
    query: paging("eval_run", limits).extend({
      order,
      status: z.enum(toldStates).optional().openapi({ description: "Only these." }),
    }),
  },
  responses: { 200: json(EvalRunList, "A page of runs."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/evals/{eval_id}/runs/{run_id}",
  tags,
  summary: "Retrieve a run",
  request: { params },
  responses: { 200: json(EvalRun, "The run."), ...failures },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/evals/{eval_id}/runs/{run_id}/cancel",
  tags,
  summary: "Cancel a run, keeping what it has done",
  request: { params },
  responses: ended,
});

const cancelAsBefore = createRoute({
  method: "post",
  path: "/v1/evals/{eval_id}/runs/{run_id}",
  tags,
  summary: "Cancel a run, as SDKs before 7.26 ask for it",
  request: { params },
  responses: ended,
});

const remove = createRoute({
  method: "delete",
  path: "/v1/evals/{eval_id}/runs/{run_id}",
  tags,
  summary: "Delete a run with its output items",
  request: { params },
  responses: { 200: json(DeletedEvalRun, "It is gone."), ...failures },
});

const listItems = createRoute({
  method: "get",
  path: "/v1/evals/{eval_id}/runs/{run_id}/output_items",
  tags,
  summary: "List what became of a run's items, in the order of the source",
  request: {
    params,
    query: paging("eval_item", limits).extend({
      order,
      status: z.enum(outputItemStates).optional().openapi({ description: "Only these." }),
    }),
  },
  responses: { 200: json(EvalOutputItemList, "A page of output items."), ...failures },
});

const retrieveItem = createRoute({
  method: "get",
  path: "/v1/evals/{eval_id}/runs/{run_id}/output_items/{output_item_id}",
  tags,
  summary: "Retrieve an output item",
  request: { params: itemParams },
  responses: { 200: json(EvalOutputItem, "The output item."), ...failures },
});

export function evalRunRoutes(runs: EvalRunService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const { eval_id } = c.req.valid("param");
      const attempt = attemptIn(c);
      return c.json(EvalRun.parse(await runs.create(c.var.project, eval_id, c.req.valid("json"), attempt)), 201);
    })
    .openapi(list, async (c) => {
      const page = await runs.list(c.var.project, c.req.valid("param").eval_id, c.req.valid("query"));
      return c.json(EvalRunList.parse(page), 200);
    })
    .openapi(retrieve, async (c) => c.json(EvalRun.parse(await runs.get(c.var.project, c.req.valid("param"))), 200))
    .openapi(cancel, async (c) => c.json(EvalRun.parse(await runs.cancel(c.var.project, c.req.valid("param"))), 200))
    .openapi(cancelAsBefore, async (c) =>
      c.json(EvalRun.parse(await runs.cancel(c.var.project, c.req.valid("param"))), 200),
    )
    .openapi(remove, async (c) => {
      const { run_id } = c.req.valid("param");
      await runs.delete(c.var.project, c.req.valid("param"));
      return c.json(DeletedEvalRun.parse({ object: "eval.run.deleted", deleted: true, run_id }), 200);
    })
    .openapi(listItems, async (c) => {
      const page = await runs.items(c.var.project, c.req.valid("param"), c.req.valid("query"));
      return c.json(EvalOutputItemList.parse(page), 200);
    })
    .openapi(retrieveItem, async (c) => {
      const { output_item_id, ...name } = c.req.valid("param");
      return c.json(EvalOutputItem.parse(await runs.item(c.var.project, name, output_item_id)), 200);
    });
}
