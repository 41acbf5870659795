/** Feedback: one value of a metric, a comment, or a demonstration, on an inference or on an episode. */
import { z } from "@hono/zod-openapi";
import { Payload } from "./payload.ts";

const targetId = (description: string) => z.string().min(1).max(128).optional().openapi({ description });

/** Whatever JSON there is but null. */
export const FeedbackValue = z.union([
  z.boolean(),
  z.number(),
  z.string(),
  z.array(z.unknown()),
  z.record(z.string(), z.unknown()),
]);
export type FeedbackValue = z.infer<typeof FeedbackValue>;

export const CreateFeedback = z
  .strictObject({
    inference_id: targetId(
      "The `x-request-id` of the answer, its own id (such as `chatcmpl-…`), or the `request_id` of a batch's line.",
    ),
    episode_id: targetId(
      "The `x-millrace-episode` of its answers. With both, the inference must be of the episode, and the metric's level says which of them it is on.",
    ),
    metric_name: z.string().min(1).max(64).openapi({ description: "A declared metric, `comment` or `demonstration`." }),
    value: FeedbackValue.openapi({
      description:
        "Of the metric's type. A comment is a text; a demonstration is the right answer: a label, a text or JSON.",
    }),
  })
  .openapi("CreateFeedback");
export type CreateFeedback = z.infer<typeof CreateFeedback>;

const fields = {
  id: z.string().openapi({ description: "`feedback_…`" }),
  inference_id: z.string().nullable().openapi({ description: "What it is on; null: on an episode." }),
  episode_id: z.string().nullable().openapi({ description: "What it is on; null: on an inference." }),
  metric_name: z.string().openapi({ description: "The metric, `comment` or `demonstration`." }),
  superseded_by: z
    .string()
    .nullable()
    .openapi({ description: "Id of the later feedback that contradicts it; null while it is in force." }),
  created_at: z.int().openapi({ description: "Unix time in seconds." }),
};

export const Feedback = z
  .object({
    ...fields,
    object: z.literal("feedback").openapi({ description: "Always `feedback`." }),
    value: FeedbackValue.openapi({ description: "As given." }),
    in_force: z.boolean().openapi({ description: "Whether it counts: no later feedback contradicts it." }),
  })
  .openapi("Feedback");
export type Feedback = z.infer<typeof Feedback>;

/** The row. */
export const FeedbackRecord = z.object({
  ...fields,
  project_id: z.string(),
  value: Payload,
  /** As its inference or episode does. */
  expires_at: z.int().nullable(),
});
export type FeedbackRecord = z.infer<typeof FeedbackRecord>;
