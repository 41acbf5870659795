/** `/v1/label_queue` and `/v1/labels` */
import { createRoute, z } from "@hono/zod-openapi";
import { idPattern } from "../../shared/ids.ts";
import { CreateLabel, Label, Labeller, LeasedItem } from "../../shared/schemas/label.ts";
import { LabelStrategy } from "../../shared/schemas/labelQueue.ts";
import { newRouter, type Router } from "../router.ts";
import type { LabelService } from "../services/labels.ts";
import { conflict, failures, json, jsonBody, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Labels"];

const LeasedItems = z
  .object({
    object: z.literal("list").openapi({ description: "Always `list`." }),
    queue_id: z.string().openapi({ description: "The queue that they are of." }),
    data: z.array(LeasedItem).openapi({ description: "In order; none: nothing is left for this labeller just now." }),
  })
  .openapi("LeasedLabelItems");

const whole = (least: number, most: number, usual: number, description: string) =>
  z.coerce
    .number()
    .int()
    .min(least)
    .max(most)
    .default(usual)
    .openapi({ type: "integer", minimum: least, maximum: most, default: usual, description });

const lease = createRoute({
  method: "get",
  path: "/v1/label_queue",
  tags,
  summary: "Get the next rows to label",
  description:
    "They are this labeller's until the lease ends, and nobody else is given their place. Who asks again before answering gets the same rows, with a new lease: a request may be repeated.",
  request: {
    query: z.object({
      strategy: LabelStrategy.optional(),
      queue_id: z.string().regex(idPattern("label_queue"), "not an id of a label queue").optional().openapi({
        description: "Of this queue; absent: of the newest that is ready, of the strategy where one is named.",
      }),
      labeller: Labeller.optional(),
      limit: whole(1, 20, 1, "How many rows, 1 to 20."),
      lease_seconds: whole(1, 86_400, 900, "For how long, 1 second to a day."),
    }),
  },
  responses: { 200: json(LeasedItems, "The rows, without what others said."), ...failures, ...conflict },
});

const create = createRoute({
  method: "post",
  path: "/v1/labels",
  tags,
  summary: "Say what a row is, or that it cannot be told, or leave it to another",
  description:
    "The same answer again is that one; another one by the same labeller corrects it. 409 where the row is not with this labeller. As source `labels` of a dataset version, labels are rows.",
  request: { body: jsonBody(CreateLabel) },
  responses: { 200: json(Label, "The label."), ...failures, ...conflict, ...tooLarge, ...wrongMediaType },
});

export function labelRoutes(labels: LabelService): Router {
  return newRouter()
    .openapi(lease, async (c) => {
      const { labeller = c.var.key, ...wish } = c.req.valid("query");
      const leased = await labels.lease(c.var.project, labeller, wish);
      return c.json(LeasedItems.parse({ object: "list", ...leased }), 200);
    })
    .openapi(create, async (c) => {
      const { labeller = c.var.key, ...label } = c.req.valid("json");
      return c.json(Label.parse(await labels.create(c.var.project, labeller, { ...label })), 200);
    });
}
