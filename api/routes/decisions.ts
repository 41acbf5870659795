/** `/v1/decisions` */
import { createRoute } from "@hono/zod-openapi";
import { decisions } from "../../shared/inference/decisions.ts";
import { AnswerTask } from "../../shared/schemas/answerTask.ts";
import { CreateDecision, Decision } from "../../shared/schemas/decision.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceService } from "../services/inference.ts";
import { failures, json, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { inferenceCall, sendAnswer } from "./inference.ts";

const create = createRoute({
  method: "post",
  path: "/v1/decisions",
  tags: ["Decisions"],
  summary: "Ask a model questions about a text, or a row of a table",
  request: { body: jsonBody(CreateDecision) },
  responses: {
    200: json(Decision, "An answer to each question, in order."),
    202: json(AnswerTask, "The model takes its time: where the answer will be, also in `location`."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function decisionRoutes(inference: InferenceService): Router {
  return newRouter().openapi(create, async (c) => {
    const answered = await inference.answerOrQueue(decisions, inferenceCall(c, c.req.valid("json")));
    if (!("queued" in answered)) return c.json(Decision.parse(sendAnswer(c, answered)), 200);
    c.header("location", answered.queued.url);
    return c.json(AnswerTask.parse(answered.queued), 202);
  });
}
