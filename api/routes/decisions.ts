/** `/v1/decisions` */
import { createRoute } from "@hono/zod-openapi";
import { decisions } from "../../shared/inference/decisions.ts";
import { CreateDecision, Decision } from "../../shared/schemas/decision.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceService } from "../services/inference.ts";
import { failures, json, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { sendAnswer } from "./inference.ts";

const create = createRoute({
  method: "post",
  path: "/v1/decisions",
  tags: ["Decisions"],
  summary: "Ask a model questions about a text",
  request: { body: jsonBody(CreateDecision) },
  responses: {
    200: json(Decision, "An answer to each question, in order."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function decisionRoutes(inference: InferenceService): Router {
  return newRouter().openapi(create, async (c) => {
    const call = { project: c.var.project, request: c.req.valid("json"), signal: c.req.raw.signal };
    return c.json(Decision.parse(sendAnswer(c, await inference.answer(decisions, call))), 200);
  });
}
