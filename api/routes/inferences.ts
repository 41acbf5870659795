/** `/v1/inferences` */
import { createRoute, z } from "@hono/zod-openapi";
import { idPattern } from "../../shared/ids.ts";
import { endpoints } from "../../shared/inference/endpoints.ts";
import { DeletedInference, Inference, InferenceWithContent } from "../../shared/schemas/inference.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { InferenceRecordService } from "../services/inferenceRecords.ts";
import { failures, idParams, json, paging } from "./contract.ts";

const tags = ["Inferences"];
const params = idParams("`req_…`, or the id of the answer, such as `chatcmpl-…`.");
const InferenceList = listOf(Inference, "InferenceList");

const text = (description: string) => z.string().max(512).optional().openapi({ description });
const time = (description: string) =>
  z
    .string()
    .regex(/^\d{1,12}$/, "not a time in whole seconds")
    .transform(Number)
    .optional()
    .openapi({ type: "integer", minimum: 0, description });
const number = (description: string) =>
  z
    .string()
    .regex(/^-?\d{1,15}(\.\d{1,15})?$/, "not a number")
    .transform(Number)
    .optional()
    .openapi({ type: "string", pattern: "^-?\\d{1,15}(\\.\\d{1,15})?$", description });

const filters = {
  model: text("Only answers of this model."),
  endpoint: z
    .enum([...endpoints.keys()] as [string, ...string[]])
    .optional()
    .openapi({ description: "Only what was asked there." }),
  function: text("Only answers to calls of this function."),
  variant: text("Only answers of this variant."),
  episode_id: z
    .string()
    .regex(idPattern("episode"), "not an id of an episode")
    .optional()
    .openapi({ description: "Only those of this episode." }),
  created_after: time("Unix time in seconds: only those from then on."),
  created_before: time("Unix time in seconds: only those before then."),
  has_feedback: z
    .enum(["true", "false"])
    .transform((value) => value === "true")
    .optional()
    .openapi({ type: "string", enum: ["true", "false"], description: "Only those with feedback, or without." }),
  metric_name: text("Only those with a value of this metric in force."),
  metric_min: number("With `metric_name`: the least value; true counts 1, false 0."),
  metric_max: number("With `metric_name`: the greatest value."),
};

const list = createRoute({
  method: "get",
  path: "/v1/inferences",
  tags,
  summary: "List recorded inferences, newest first",
  description:
    "Answers of models that the project's policy keeps (`POST /v1/organization/projects/{id}`), and stored chat completions. An episode, a model, a function and feedback are found by an index; `endpoint`, `variant` and `has_feedback=false` alone look at every inference of the time asked for.",
  request: { query: paging("request", { maximum: 100, usual: 20 }).extend(filters) },
  responses: { 200: json(InferenceList, "A page of inferences, without what was said."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/inferences/{id}",
  tags,
  summary: "Retrieve an inference, what was said in it, and the feedback in force",
  request: { params },
  responses: { 200: json(InferenceWithContent, "The inference."), ...failures },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/inferences/{id}",
  tags,
  summary: "Delete an inference, and its feedback",
  description: "A stored chat completion is the same thing under another name, and gone, too.",
  request: { params },
  responses: { 200: json(DeletedInference, "The inference is gone."), ...failures },
});

export function inferenceRoutes(inferences: InferenceRecordService): Router {
  return newRouter()
    .openapi(list, async (c) => {
      const { limit, after, metric_name, metric_min, metric_max, ...filter } = c.req.valid("query");
      const metric = metric_name === undefined ? undefined : { name: metric_name, min: metric_min, max: metric_max };
      const page = await inferences.list(c.var.project, { ...filter, metric }, { limit, after });
      return c.json(InferenceList.parse(page), 200);
    })
    .openapi(retrieve, async (c) => {
      return c.json(InferenceWithContent.parse(await inferences.get(c.var.project, c.req.valid("param").id)), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid("param");
      await inferences.delete(c.var.project, id);
      return c.json({ id, object: "inference.deleted" as const, deleted: true }, 200);
    });
}
