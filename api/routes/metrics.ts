/** `/v1/metrics` */
import { createRoute, z } from "@hono/zod-openapi";
import { listOf } from "../../shared/schemas/list.ts";
import { CreateMetric, DeletedMetric, Metric } from "../../shared/schemas/metric.ts";
import { newRouter, type Router } from "../router.ts";
import type { MetricService } from "../services/metrics.ts";
import { conflict, failures, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Metrics"];
const params = z.object({
  name: z.string().openapi({ param: { name: "name", in: "path" }, description: "Its name." }),
});
const MetricList = listOf(Metric, "MetricList");

const create = createRoute({
  method: "post",
  path: "/v1/metrics",
  tags,
  summary: "Declare what feedback measures",
  description:
    "The same declaration again answers the one there is, with its description renewed; with another type, level or direction it is 409.",
  request: { body: jsonBody(CreateMetric) },
  responses: { 200: json(Metric, "The metric."), ...failures, ...conflict, ...tooLarge, ...wrongMediaType },
});

const list = createRoute({
  method: "get",
  path: "/v1/metrics",
  tags,
  summary: "List metrics by name",
  description: "Those that were declared; every project has `comment` and `demonstration` besides.",
  request: {
    query: paging("request", { maximum: 100, usual: 20 }).extend({
      after: z.string().max(55).optional().openapi({ description: "Name of the last metric seen." }),
    }),
  },
  responses: { 200: json(MetricList, "A page of metrics."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/metrics/{name}",
  tags,
  summary: "Retrieve a metric",
  request: { params },
  responses: { 200: json(Metric, "The metric."), ...failures },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/metrics/{name}",
  tags,
  summary: "Delete a metric on which no feedback was ever given",
  description: "With feedback it is 409: what was measured stays measured.",
  request: { params },
  responses: { 200: json(DeletedMetric, "The metric is gone."), ...failures, ...conflict },
});

export function metricRoutes(metrics: MetricService): Router {
  return newRouter()
    .openapi(create, async (c) => c.json(Metric.parse(await metrics.create(c.var.project, c.req.valid("json"))), 200))
    .openapi(list, async (c) => {
      return c.json(MetricList.parse(await metrics.list(c.var.project, c.req.valid("query"))), 200);
    })
    .openapi(retrieve, async (c) => {
      return c.json(Metric.parse(await metrics.get(c.var.project, c.req.valid("param").name)), 200);
    })
    .openapi(remove, async (c) => {
      const { name } = c.req.valid("param");
      await metrics.delete(c.var.project, name);
      return c.json({ id: name, object: "metric.deleted" as const, deleted: true }, 200);
    });
}
