/** `POST /v1/inferences`: what was answered elsewhere, brought in. */
import { createRoute } from "@hono/zod-openapi";
import { ImportInferences, InferenceImport } from "../../shared/schemas/importedInference.ts";
import { listOf, toPage } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceImportService } from "../services/inferenceImport.ts";
import { failures, json, jsonBody, tooLarge, wrongMediaType } from "./contract.ts";

const InferenceImportList = listOf(InferenceImport, "InferenceImportList");

const create = createRoute({
  method: "post",
  path: "/v1/inferences",
  tags: ["Inferences"],
  summary: "Bring in inferences that were answered elsewhere",
  description:
    "Chat completions that another cloud kept, with their conversations: recorded whole, whatever the project's policy, and kept as long as it says from now on. One that is here already, by its id and time of creation, is left as it is, so a request may be repeated. Their latency, which nobody told, reads 0.",
  request: { body: jsonBody(ImportInferences) },
  responses: {
    200: json(InferenceImportList, "One for each, in the order given."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
  },
});

export function inferenceImportRoutes(imports: InferenceImportService): Router {
  return newRouter().openapi(create, async (c) => {
    const data = await imports.import(c.var.project, c.req.valid("json"));
    return c.json(InferenceImportList.parse(toPage(data, data.length)), 200);
  });
}
