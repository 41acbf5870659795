/** `/v1/chat/completions` */
import { createRoute } from "@hono/zod-openapi";
import { chatCompletions } from "../../shared/inference/chatCompletions.ts";
import { ChatCompletion, ChatCompletionChunk, CreateChatCompletion } from "../../shared/schemas/chatCompletion.ts";
import { newRouter, type Router } from "../router.ts";
import type { Services } from "../services/services.ts";
import { events, failures, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { answerOrStream } from "./eventStream.ts";

const tags = ["Chat completions"];

const create = createRoute({
  method: "post",
  path: "/v1/chat/completions",
  tags,
  summary: "Ask a model what comes next in a conversation",
  request: { body: jsonBody(CreateChatCompletion) },
  responses: {
    200: events(ChatCompletion, ChatCompletionChunk, "The completion, or chunks of it that end with `[DONE]`."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function chatCompletionRoutes({ inference, observe }: Pick<Services, "inference" | "observe">): Router {
  const route = { inference, observe, endpoint: chatCompletions, schema: ChatCompletion };
  return newRouter().openapi(create, (c) => answerOrStream(c, c.req.valid("json"), route));
}
