/** `/v1/webhook_endpoints` and `/v1/webhook_event_types` */
import { createRoute, z } from "@hono/zod-openapi";
import { listOf } from "../../shared/schemas/list.ts";
import { WebhookDelivery } from "../../shared/schemas/webhookDelivery.ts";
import {
  CreateWebhookEndpoint,
  DeletedWebhookEndpoint,
  RotateWebhookSecret,
  TestWebhookEndpoint,
  UpdateWebhookEndpoint,
  WebhookEndpoint,
  WebhookEndpointTest,
  WebhookEndpointWithSecret,
} from "../../shared/schemas/webhookEndpoint.ts";
import { WebhookEventTypeList, webhookEventTypes } from "../../shared/schemas/webhookEvent.ts";
import { newRouter, type Router } from "../router.ts";
import type { WebhookDeliveryService } from "../services/webhookDeliveries.ts";
import type { WebhookEndpointService } from "../services/webhookEndpoints.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Webhooks"];
const params = idParams("The endpoint's id, `whe_…`.");
const WebhookEndpointList = listOf(WebhookEndpoint, "WebhookEndpointList");
const WebhookDeliveryList = listOf(WebhookDelivery, "WebhookDeliveryList");
const bodies = { ...failures, ...tooLarge, ...wrongMediaType };

const create = createRoute({
  method: "post",
  path: "/v1/webhook_endpoints",
  tags,
  summary: "Be told of events by HTTP",
  description:
    "Each event is sent at least once, signed as Standard Webhooks say: `openai.webhooks.unwrap` verifies it. Answer with a 2xx within 15 seconds; anything else is tried again, over three days.",
  request: { body: jsonBody(CreateWebhookEndpoint) },
  responses: { 200: json(WebhookEndpointWithSecret, "The endpoint, with its secret."), ...bodies, ...conflict },
});

const list = createRoute({
  method: "get",
  path: "/v1/webhook_endpoints",
  tags,
  summary: "List webhook endpoints, newest first",
  request: { query: paging("webhook_endpoint", { maximum: 100, usual: 20 }) },
  responses: { 200: json(WebhookEndpointList, "A page of endpoints."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/webhook_endpoints/{id}",
  tags,
  summary: "Retrieve a webhook endpoint",
  request: { params },
  responses: { 200: json(WebhookEndpoint, "The endpoint."), ...failures },
});

const update = createRoute({
  method: "post",
  path: "/v1/webhook_endpoints/{id}",
  tags,
  summary: "Change, disable or enable a webhook endpoint",
  request: { params, body: jsonBody(UpdateWebhookEndpoint) },
  responses: { 200: json(WebhookEndpoint, "The endpoint."), ...bodies },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/webhook_endpoints/{id}",
  tags,
  summary: "Delete a webhook endpoint",
  request: { params },
  responses: { 200: json(DeletedWebhookEndpoint, "It is told nothing more."), ...failures },
});

const rotate = createRoute({
  method: "post",
  path: "/v1/webhook_endpoints/{id}/rotate_secret",
  tags,
  summary: "Give a webhook endpoint a new secret",
  request: { params, body: jsonBody(RotateWebhookSecret) },
  responses: { 200: json(WebhookEndpointWithSecret, "The endpoint, with its new secret."), ...bodies, ...conflict },
});

const test = createRoute({
  method: "post",
  path: "/v1/webhook_endpoints/{id}/test",
  tags,
  summary: "Send a sample event to a webhook endpoint",
  description: "Signed as any; its `data.id` is `sample`. 409 says why no answer came.",
  request: { params, body: jsonBody(TestWebhookEndpoint) },
  responses: { 200: json(WebhookEndpointTest, "It answered."), ...bodies, ...conflict },
});

const log = createRoute({
  method: "get",
  path: "/v1/webhook_endpoints/{id}/deliveries",
  tags,
  summary: "List what was sent to a webhook endpoint, newest first",
  request: { params, query: paging("webhook_delivery", { maximum: 100, usual: 20 }) },
  responses: { 200: json(WebhookDeliveryList, "A page of deliveries, with their attempts."), ...failures },
});

const redeliver = createRoute({
  method: "post",
  path: "/v1/webhook_endpoints/{id}/deliveries/{delivery_id}/redeliver",
  tags,
  summary: "Send a delivery again",
  description: "The same event with the same id, whether or not it was taken before.",
  request: {
    params: params.extend({
      delivery_id: z
        .string()
        .openapi({ param: { name: "delivery_id", in: "path" }, description: "The delivery's id, `whd_…`." }),
    }),
  },
  responses: { 200: json(WebhookDelivery, "The delivery, on its way."), ...failures, ...conflict },
});

const eventTypes = createRoute({
  method: "get",
  path: "/v1/webhook_event_types",
  tags,
  summary: "List the types of events",
  responses: { 200: json(WebhookEventTypeList, "All types."), ...failures },
});

export function webhookRoutes(webhooks: WebhookEndpointService, deliveries: WebhookDeliveryService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const made = await webhooks.create(c.var.project, c.req.valid("json"), attemptIn(c));
      return c.json(WebhookEndpointWithSecret.parse(made), 200);
    })
    .openapi(list, async (c) => {
      return c.json(WebhookEndpointList.parse(await webhooks.list(c.var.project, c.req.valid("query"))), 200);
    })
    .openapi(retrieve, async (c) => {
      return c.json(WebhookEndpoint.parse(await webhooks.get(c.var.project, c.req.valid("param").id)), 200);
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(WebhookEndpoint.parse(await webhooks.update(c.var.project, id, c.req.valid("json"))), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid("param");
      await webhooks.delete(c.var.project, id);
      return c.json({ id, object: "webhook_endpoint.deleted" as const, deleted: true as const }, 200);
    })
    .openapi(rotate, async (c) => {
      const { id } = c.req.valid("param");
      const rotated = await webhooks.rotate(c.var.project, id, c.req.valid("json"), attemptIn(c));
      return c.json(WebhookEndpointWithSecret.parse(rotated), 200);
    })
    .openapi(test, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(WebhookEndpointTest.parse(await webhooks.test(c.var.project, id, c.req.valid("json"))), 200);
    })
    .openapi(log, async (c) => {
      const { id } = c.req.valid("param");
      const page = await deliveries.list(c.var.project, id, c.req.valid("query"));
      return c.json(WebhookDeliveryList.parse(page), 200);
    })
    .openapi(redeliver, async (c) => {
      const { id, delivery_id } = c.req.valid("param");
      return c.json(WebhookDelivery.parse(await deliveries.redeliver(c.var.project, id, delivery_id)), 200);
    })
    .openapi(eventTypes, (c) => c.json({ object: "list" as const, data: [...webhookEventTypes] }, 200));
}
