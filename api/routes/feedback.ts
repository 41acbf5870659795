/** `/v1/feedback` */
import { createRoute, z } from "@hono/zod-openapi";
import { CreateFeedback, Feedback } from "../../shared/schemas/feedback.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { FeedbackService } from "../services/feedback.ts";
import { conflict, failures, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Feedback"];
const FeedbackList = listOf(Feedback, "FeedbackList");
const of = (maximum: number, description: string) => z.string().min(1).max(maximum).optional().openapi({ description });

const create = createRoute({
  method: "post",
  path: "/v1/feedback",
  tags,
  summary: "Say how good an inference or an episode was",
  description: [
    "When it is answered it is durable. On a metric that was declared (`POST /v1/metrics`), or on one of two that every project has: `comment`, a text on an inference or an episode, and `demonstration`, the right answer to an inference.",
    "- The same value again is the feedback there is, which is answered.",
    "- Another value contradicts the earlier one: the latest is in force, the earlier stays as history (`superseded_by`). Comments stand beside each other.",
    "- Late, on an inference that was not recorded, has expired or was deleted: 404, as on another project's.",
    "- On the wrong level, such as an episode's metric on an inference: 400, naming the id's field; a value of the wrong type: 400, naming `value`; an unknown metric: 404, naming `metric_name`.",
    "`metadata.feedback_<metric>` of an update of a stored chat completion is the same, as `true`, `false` or a number in a text; so are `metadata.feedback_comment` and `metadata.feedback_demonstration`. Only labels that change count.",
  ].join("\n"),
  request: {
    body: jsonBody(CreateFeedback),
  },
  responses: { 200: json(Feedback, "The feedback."), ...failures, ...conflict, ...tooLarge, ...wrongMediaType },
});

const list = createRoute({
  method: "get",
  path: "/v1/feedback",
  tags,
  summary: "List feedback, newest first",
  description: "With its history: `in_force` says what counts. Of what was deleted or has expired there is none.",
  request: {
    query: paging("feedback", { maximum: 100, usual: 20 }).extend({
      inference_id: of(128, "Only on this inference."),
      episode_id: of(128, "Only on this episode."),
      metric_name: of(64, "Only of this metric."),
    }),
  },
  responses: { 200: json(FeedbackList, "A page of feedback."), ...failures },
});

export function feedbackRoutes(feedback: FeedbackService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const created = await feedback.create(c.var.project, c.req.valid("json"), attemptIn(c));
      return c.json(Feedback.parse(created), 200);
    })
    .openapi(list, async (c) => {
      const { limit, after, ...filter } = c.req.valid("query");
      return c.json(FeedbackList.parse(await feedback.list(c.var.project, filter, { limit, after })), 200);
    });
}
