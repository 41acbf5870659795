/** `/v1/moderations` */
import { createRoute } from "@hono/zod-openapi";
import { moderations } from "../../shared/inference/moderations.ts";
import { CreateModeration, Moderation } from "../../shared/schemas/moderation.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceService } from "../services/inference.ts";
import { failures, json, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { inferenceCall, sendAnswer } from "./inference.ts";

const create = createRoute({
  method: "post",
  path: "/v1/moderations",
  tags: ["Moderations"],
  summary: "Judge texts by a moderation model",
  request: { body: jsonBody(CreateModeration) },
  responses: {
    200: json(Moderation, "A result for each text, in order."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function moderationRoutes(inference: InferenceService): Router {
  return newRouter().openapi(create, async (c) => {
    const answered = await inference.answer(moderations, inferenceCall(c, c.req.valid("json")));
    return c.json(Moderation.parse(sendAnswer(c, answered)), 200);
  });
}
