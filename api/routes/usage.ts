/** `/v1/organization/usage/…` and `/v1/organization/costs` */
import { createRoute, z } from "@hono/zod-openapi";
import {
  type BucketWidth,
  bucketLimits,
  bucketWidths,
  CostPage,
  type UsageKind,
  UsagePage,
  usageKinds,
} from "../../shared/schemas/usage.ts";
import { newRouter, type Router } from "../router.ts";
import type { UsageService } from "../services/usage.ts";
import { failures, json } from "./contract.ts";
import { listParameter, listsIn } from "./queryLists.ts";

const tags = ["Usage"];
const id = z.string().min(1).max(512);
const latest = 99_999_999_999;
const time = (description: string) =>
  z
    .string()
    .regex(/^\d{1,11}$/, "not a time in Unix seconds")
    .transform(Number)
    .openapi({ type: "integer", minimum: 0, maximum: latest, description });

const span = {
  start_time: time("Unix time in seconds, inclusive; absent: a week ago.").optional(),
  end_time: time("Unix time in seconds, exclusive; absent: now.").optional(),
  page: z.string().max(32).optional().openapi({ description: "`next_page` of the page before." }),
};
const limit = (maximum: number, description: string) =>
  z.coerce.number().int().min(1).max(maximum).optional().openapi({ type: "integer", minimum: 1, maximum, description });

const filters = {
  project_ids: listParameter(id, "Only of these projects."),
  user_ids: listParameter(id, "Of users nothing is known: with any there are no results."),
  api_key_ids: listParameter(id, "Only of these keys; batches and jobs are of none."),
};
const usageLists = {
  ...filters,
  models: listParameter(id, "Only of these models; of fine-tuning, bases."),
  group_by: listParameter(
    z.enum(["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"]),
    "What results are told apart by.",
  ),
};
const costLists = {
  ...filters,
  line_items: listParameter(id, "Only these: `<model>, <kind>`."),
  group_by: listParameter(
    z.enum(["project_id", "user_id", "api_key_id", "line_item"]),
    "What results are told apart by.",
  ),
};

const [usualMinutes, mostMinutes] = bucketLimits["1m"];
const usageRoute = <Kind extends UsageKind>(kind: Kind) =>
  createRoute({
    method: "get",
    path: `/v1/organization/usage/${kind}` as const,
    tags,
    summary: `Add up what was used: ${kind}`,
    description:
      "Each inference, line of a batch and range of training steps counts once, however often it was tried. Calls of `chat/completions`, `completions` and `responses` are `completions`.",
    request: {
      query: z.object({
        ...span,
        bucket_width: z
          .enum(Object.keys(bucketWidths) as [BucketWidth, ...BucketWidth[]])
          .default("1d")
          .openapi({ description: "Of a bucket; aligned in UTC." }),
        limit: limit(mostMinutes, `Buckets: of days 7, 31 at most; hours 24, 168; minutes ${usualMinutes}, 1440.`),
        batch: z.enum(["true", "false"]).optional().openapi({ description: "Only of batches, or none of them." }),
        ...usageLists,
      }),
    },
    responses: { 200: json(UsagePage, "A page of buckets."), ...failures },
  });

const costs = createRoute({
  method: "get",
  path: "/v1/organization/costs",
  tags,
  summary: "Add up what it cost",
  description: "Amounts are as they were by the price table when the work was done, and exact to a billionth.",
  request: {
    query: z.object({
      ...span,
      bucket_width: z.literal("1d").default("1d").openapi({ description: "Of a bucket; aligned in UTC." }),
      limit: limit(180, "Buckets on a page, 1 to 180; absent: 7."),
      ...costLists,
    }),
  },
  responses: { 200: json(CostPage, "A page of buckets."), ...failures },
});

const weekSeconds = 7 * 24 * 60 * 60;
const aWeekAgo = () => Math.floor(Date.now() / 1000) - weekSeconds;

export function usageRoutes(service: UsageService): Router {
  const router = newRouter();
  for (const kind of usageKinds) {
    router.openapi(usageRoute(kind), async (c) => {
      const { limit: asked, batch, start_time = aWeekAgo(), ...query } = c.req.valid("query");
      const [usual, most] = bucketLimits[query.bucket_width];
      const asks = {
        ...query,
        ...listsIn(c.req.queries(), usageLists),
        start_time,
        limit: Math.min(asked ?? usual, most),
        batch: batch === undefined ? undefined : batch === "true",
      };
      return c.json(UsagePage.parse(await service.usage(c.var.actor, kind, asks)), 200);
    });
  }
  return router.openapi(costs, async (c) => {
    const { limit: asked = 7, start_time = aWeekAgo(), ...query } = c.req.valid("query");
    const asks = { ...query, ...listsIn(c.req.queries(), costLists), start_time, limit: asked };
    return c.json(CostPage.parse(await service.costs(c.var.actor, asks)), 200);
  });
}
