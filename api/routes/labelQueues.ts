/** `/v1/label_queues` */
import { createRoute, z } from "@hono/zod-openapi";
import { LabelItem } from "../../shared/schemas/label.ts";
import { CreateLabelQueue, LabelAgreement, LabelQueue } from "../../shared/schemas/labelQueue.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { LabelQueueService } from "../services/labelQueues.ts";
import { failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Labels"];
const params = idParams("`lq_…`");
const LabelQueueList = listOf(LabelQueue, "LabelQueueList");
const LabelItemList = listOf(LabelItem, "LabelItemList");

const create = createRoute({
  method: "post",
  path: "/v1/label_queues",
  tags,
  summary: "Choose the rows that people should label",
  description:
    "From recorded inferences (the newest 5,000), a dataset version (50,000 rows at most) or rows that labellers disagree about, by a strategy. A worker puts them in order; rows whose text has more than 30,000 characters are left out. Labellers get them by `GET /v1/label_queue`.",
  request: { body: jsonBody(CreateLabelQueue) },
  responses: { 200: json(LabelQueue, "The queue, not yet in order."), ...failures, ...tooLarge, ...wrongMediaType },
});

const list = createRoute({
  method: "get",
  path: "/v1/label_queues",
  tags,
  summary: "List label queues, newest first",
  request: { query: paging("label_queue", { maximum: 100, usual: 20 }) },
  responses: { 200: json(LabelQueueList, "A page of label queues."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/label_queues/{id}",
  tags,
  summary: "Retrieve a label queue",
  request: { params },
  responses: { 200: json(LabelQueue, "The label queue."), ...failures },
});

const itemPaging = paging("label_queue", { maximum: 100, usual: 20 }).extend({
  after: z
    .string()
    .regex(/^lqi_[0-9a-hjkmnp-tv-z]{26}_\d{4}$/, "not an id of this list")
    .optional()
    .openapi({ description: "Id of the last item seen; the page begins behind it." }),
});

const items = createRoute({
  method: "get",
  path: "/v1/label_queues/{id}/items",
  tags,
  summary: "List a queue's rows in order, with what labellers said",
  request: { params, query: itemPaging },
  responses: { 200: json(LabelItemList, "A page of rows."), ...failures },
});

const agreement = createRoute({
  method: "get",
  path: "/v1/label_queues/{id}/agreement",
  tags,
  summary: "Tell how far a queue's labellers agree, and how much is done",
  request: { params },
  responses: { 200: json(LabelAgreement, "Krippendorff's alpha, and each labeller's work."), ...failures },
});

export function labelQueueRoutes(queues: LabelQueueService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const made = await queues.create(c.var.project, c.req.valid("json"), attemptIn(c));
      return c.json(LabelQueue.parse(made), 200);
    })
    .openapi(list, async (c) => {
      return c.json(LabelQueueList.parse(await queues.list(c.var.project, c.req.valid("query"))), 200);
    })
    .openapi(retrieve, async (c) => {
      return c.json(LabelQueue.parse(await queues.get(c.var.project, c.req.valid("param").id)), 200);
    })
    .openapi(items, async (c) => {
      const page = await queues.items(c.var.project, c.req.valid("param").id, c.req.valid("query"));
      return c.json(LabelItemList.parse(page), 200);
    })
    .openapi(agreement, async (c) => {
      return c.json(LabelAgreement.parse(await queues.agreement(c.var.project, c.req.valid("param").id)), 200);
    });
}
