/** `/v1/decisions` */
import { createRoute } from "@hono/zod-openapi";
import { CreateDecision, Decision } from "../../shared/schemas/decision.ts";
import { newRouter, type Router } from "../router.ts";
import type { DecisionService } from "../services/decisions.ts";
import { failures, json, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";

const create = createRoute({
  method: "post",
  path: "/v1/decisions",
  tags: ["Decisions"],
  summary: "Ask a fine-tuned model questions about a text",
  request: { body: jsonBody(CreateDecision) },
  responses: {
    200: json(Decision, "An answer to each question, in order."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function decisionRoutes(decisions: DecisionService): Router {
  return newRouter().openapi(create, async (c) => {
    const { decision, digest } = await decisions.create(c.var.project, c.req.valid("json"), c.req.raw.signal);
    c.header("x-millrace-model-digest", digest);
    return c.json(Decision.parse(decision), 200);
  });
}
