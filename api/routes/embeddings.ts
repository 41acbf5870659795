/** `/v1/embeddings` */
import { createRoute } from "@hono/zod-openapi";
import { embeddings } from "../../shared/inference/embeddings.ts";
import { CreateEmbedding, EmbeddingList } from "../../shared/schemas/embedding.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceService } from "../services/inference.ts";
import { failures, json, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { inferenceCall, sendAnswer } from "./inference.ts";

const create = createRoute({
  method: "post",
  path: "/v1/embeddings",
  tags: ["Embeddings"],
  summary: "Turn texts into vectors",
  request: { body: jsonBody(CreateEmbedding) },
  responses: {
    200: json(EmbeddingList, "A vector for each input, in order."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function embeddingRoutes(inference: InferenceService): Router {
  return newRouter().openapi(create, async (c) => {
    const answered = await inference.answer(embeddings, inferenceCall(c, c.req.valid("json")));
    return c.json(EmbeddingList.parse(sendAnswer(c, answered)), 200);
  });
}
