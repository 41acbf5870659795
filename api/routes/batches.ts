/** `/v1/batches` */
import { createRoute } from "@hono/zod-openapi";
import { Batch, CreateBatch } from "../../shared/schemas/batch.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { BatchService } from "../services/batches.ts";
import {
  conflict,
  failures,
  idParams,
  json,
  jsonBody,
  paging,
  quotaExceeded,
  tooLarge,
  wrongMediaType,
} from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Batches"];
const params = idParams("Id of the batch, `batch_…`.");
const BatchList = listOf(Batch, "BatchList");

const create = createRoute({
  method: "post",
  path: "/v1/batches",
  tags,
  summary: "Have a file of requests answered within a day",
  description:
    'Each line of the file is `{"custom_id", "method": "POST", "url", "body"}`. All lines are checked before any is run; ' +
    "a line that the endpoint refuses while it runs is in the error file, as the endpoint would have answered.",
  request: { body: jsonBody(CreateBatch) },
  responses: {
    200: json(Batch, "The batch, not yet begun."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...quotaExceeded,
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/batches",
  tags,
  summary: "List batches, newest first",
  request: { query: paging("batch", { maximum: 100, usual: 20 }) },
  responses: { 200: json(BatchList, "A page of batches."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/batches/{id}",
  tags,
  summary: "Retrieve a batch",
  request: { params },
  responses: { 200: json(Batch, "The batch."), ...failures },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/batches/{id}/cancel",
  tags,
  summary: "Cancel a batch, keeping what it has done",
  request: { params },
  responses: { 200: json(Batch, "The batch; what is running ends first."), ...failures, ...conflict },
});

export function batchRoutes(batches: BatchService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const batch = await batches.create(c.var.project, c.req.valid("json"), attemptIn(c));
      return c.json(Batch.parse(batch), 200);
    })
    .openapi(list, async (c) => c.json(BatchList.parse(await batches.list(c.var.project, c.req.valid("query"))), 200))
    .openapi(retrieve, async (c) => c.json(Batch.parse(await batches.get(c.var.project, c.req.valid("param").id)), 200))
    .openapi(cancel, async (c) =>
      c.json(Batch.parse(await batches.cancel(c.var.project, c.req.valid("param").id)), 200),
    );
}
