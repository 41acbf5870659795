/** `/v1/models` */
import { createRoute } from "@hono/zod-openapi";
import { ErrorResponse } from "../../shared/schemas/error.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { DeletedModel, Model } from "../../shared/schemas/model.ts";
import { newRouter, type Router } from "../router.ts";
import type { ModelService } from "../services/models.ts";
import { conflict, failures, idParams, json } from "./contract.ts";

const tags = ["Models"];
const params = idParams("Name of the model, such as `ft:millrace-ngram:acme::0h2k5b7x`.");
const ModelList = listOf(Model, "ModelList");

const list = createRoute({
  method: "get",
  path: "/v1/models",
  tags,
  summary: "List models: base models first, then the project's own",
  responses: { 200: json(ModelList, "All models."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/models/{id}",
  tags,
  summary: "Retrieve a model",
  request: { params },
  responses: { 200: json(Model, "The model."), ...failures },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/models/{id}",
  tags,
  summary: "Delete a fine-tuned model",
  request: { params },
  responses: {
    200: json(DeletedModel, "The model is gone."),
    ...conflict,
    ...failures,
    403: json(ErrorResponse, "Base models cannot be deleted; or the API key is not for this."),
  },
});

export function modelRoutes(models: ModelService): Router {
  return newRouter()
    .openapi(list, async (c) => c.json(ModelList.parse(await models.list(c.var.project)), 200))
    .openapi(retrieve, async (c) => c.json(Model.parse(await models.get(c.var.project, c.req.valid("param").id)), 200))
    .openapi(remove, async (c) => {
      const { id } = c.req.valid("param");
      await models.delete(c.var.project, id);
      return c.json({ id, object: "model" as const, deleted: true }, 200);
    });
}
