/** `/v1/answers`: what a worker answers when the request was not waited for. */
import { createRoute } from "@hono/zod-openapi";
import { AnswerWithResponse } from "../../shared/schemas/answerTask.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceService } from "../services/inference.ts";
import { failures, idParams, json } from "./contract.ts";

const retrieve = createRoute({
  method: "get",
  path: "/v1/answers/{id}",
  tags: ["Answers"],
  summary: "Retrieve the answer of a model that takes its time",
  description: "The `url` of an answer with status 202 leads here. Answers are kept for a day.",
  request: { params: idParams("Id of the answer, `answer_…`.") },
  responses: { 200: json(AnswerWithResponse, "The answer, or how far it is."), ...failures },
});

export function answerRoutes(inference: InferenceService): Router {
  return newRouter().openapi(retrieve, async (c) => {
    return c.json(AnswerWithResponse.parse(await inference.queued(c.var.project, c.req.valid("param").id)), 200);
  });
}
