/** `/v1/responses` */
import { createRoute } from "@hono/zod-openapi";
import { responses } from "../../shared/inference/responses.ts";
import { CreateResponse, Response, ResponseEvent } from "../../shared/schemas/response.ts";
import { newRouter, type Router } from "../router.ts";
import type { Services } from "../services/services.ts";
import { events, failures, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { answerOrStream } from "./eventStream.ts";

const create = createRoute({
  method: "post",
  path: "/v1/responses",
  tags: ["Responses"],
  summary: "Ask a model for a text",
  request: { body: jsonBody(CreateResponse) },
  responses: {
    200: events(
      Response,
      ResponseEvent,
      "The response, or named events that end with `response.completed` or `response.incomplete`.",
    ),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function responseRoutes({ inference, observe }: Pick<Services, "inference" | "observe">): Router {
  const route = { inference, observe, endpoint: responses, schema: Response };
  return newRouter().openapi(create, (c) => answerOrStream(c, c.req.valid("json"), route));
}
