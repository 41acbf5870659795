/** `/v1/completions` */
import { createRoute } from "@hono/zod-openapi";
import { completions } from "../../shared/inference/completions.ts";
import { Completion, CompletionChunk, CreateCompletion } from "../../shared/schemas/completion.ts";
import { newRouter, type Router } from "../router.ts";
import type { Services } from "../services/services.ts";
import { events, failures, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { answerOrStream } from "./eventStream.ts";

const create = createRoute({
  method: "post",
  path: "/v1/completions",
  tags: ["Completions"],
  summary: "Ask a model to go on with a text",
  request: { body: jsonBody(CreateCompletion) },
  responses: {
    200: events(Completion, CompletionChunk, "The completion, or chunks of it that end with `[DONE]`."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function completionRoutes({ inference, observe }: Pick<Services, "inference" | "observe">): Router {
  const route = { inference, observe, endpoint: completions, schema: Completion };
  return newRouter().openapi(create, (c) => answerOrStream(c, c.req.valid("json"), route));
}
