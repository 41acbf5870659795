/** `/healthz`: whether this process answers, for load balancers; it asks nothing of anybody else. */
import { createRoute, z } from "@hono/zod-openapi";
import { newRouter, type Router } from "../router.ts";
import { json } from "./contract.ts";

const Health = z.object({ status: z.literal("ok").openapi({ description: "Always `ok`." }) }).openapi("Health");

const check = createRoute({
  method: "get",
  path: "/healthz",
  tags: ["Service"],
  summary: "Is the service up",
  security: [],
  responses: { 200: json(Health, "It is.") },
});

export function healthRoutes(): Router {
  return newRouter().openapi(check, (c) => c.json({ status: "ok" as const }, 200));
}
