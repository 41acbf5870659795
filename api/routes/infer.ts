/** `/v1/models/{id}/infer` */
import { createRoute } from "@hono/zod-openapi";
import { infer } from "../../shared/inference/infer.ts";
import { InferRequest, InferResponse } from "../../shared/schemas/infer.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceService } from "../services/inference.ts";
import { failures, idParams, json, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";
import { inferenceCall, sendAnswer } from "./inference.ts";

const call = createRoute({
  method: "post",
  path: "/v1/models/{id}/infer",
  tags: ["Models"],
  summary: "Call an ONNX model by its declared inputs and outputs",
  description:
    "The body and the answer are those of the Open Inference Protocol (KServe's V2), for models that the operator of the deployment imported as ONNX files. A body is 4 MiB at most.",
  request: { params: idParams("Name of the model, such as `silero-vad`."), body: jsonBody(InferRequest) },
  responses: {
    200: json(InferResponse, "The outputs."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

export function inferRoutes(inference: InferenceService): Router {
  return newRouter().openapi(call, async (c) => {
    const request = { ...c.req.valid("json"), model: c.req.valid("param").id };
    const answered = await inference.answer(infer, inferenceCall(c, request));
    return c.json(InferResponse.parse(sendAnswer(c, answered)), 200);
  });
}
