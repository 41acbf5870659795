/** Inferences: one answer of a model each, kept for those who judge and retrain. */
import { z } from "@hono/zod-openapi";
import { Feedback } from "./feedback.ts";
import { judgedFields } from "./inForce.ts";
import { Payload } from "./payload.ts";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });

const fields = {
  id: described(
    z.string(),
    "`req_…`: the `x-request-id` of the answer, or the `request_id` of a batch's line. The answer's own id, such as `chatcmpl-…`, ends in the same characters and is taken in its place.",
  ),
  endpoint: described(z.string(), "What was asked, such as `/v1/decisions`."),
  model: described(z.string(), "The model that answered."),
  function: described(z.string().nullable(), "The function that was called; null: a model was."),
  variant: described(z.string().nullable(), "The function's variant that answered; null: a model was called."),
  experiment_id: described(z.string().nullable(), "The experiment that assigned the variant; null: none."),
  episode_id: described(z.string().nullable(), "The episode that it is part of; null: of none."),
  digest: described(z.string().nullable(), "SHA-256 of what answered; null where the model has no files."),
  is_complete: described(z.boolean(), "Whether it was answered to its end: a client may leave a stream before."),
  is_stored: described(z.boolean(), "Whether it is a stored chat completion (`store: true`)."),
  metadata: described(z.record(z.string(), z.string()).nullable(), "Labels it came with; null: none, or not kept."),
  latency_ms: described(
    z.number(),
    "From the request to the answer's end, where it was made, in milliseconds; waiting in a queue does not count.",
  ),
  created_at: described(z.int(), "Unix time in seconds of the request; of a batch's line, of its batch."),
  expires_at: described(
    z.int().nullable(),
    "Unix time in seconds from which on it is gone, with its feedback; null: it stays until it is deleted.",
  ),
};

/** What was asked and answered; null where it was not kept. */
export const InferenceContent = z.object({ input: Payload.nullable(), output: Payload.nullable() });
export type InferenceContent = z.infer<typeof InferenceContent>;

/** The row, which its project alone sees. Earlier rows lack what has a default. */
export const InferenceRecord = z.object({
  ...fields,
  function: fields.function.default(null),
  experiment_id: fields.experiment_id.default(null),
  episode_id: fields.episode_id.default(null),
  is_stored: fields.is_stored.default(false),
  metadata: fields.metadata.default(null),
  expires_at: fields.expires_at.default(null),
  project_id: z.string(),
  /** Digest of who or what called a function; null: a model was called. */
  unit: z.string().nullable().default(null),
  /** What was said, while it is small; null: it lies beside the row, or was not kept. */
  content: InferenceContent.nullable().default(null),
  ...judgedFields,
});
export type InferenceRecord = z.infer<typeof InferenceRecord>;

export const Inference = z
  .object({
    ...fields,
    object: z.literal("inference").openapi({ description: "Always `inference`." }),
    metrics: z
      .record(z.string(), z.union([z.boolean(), z.number()]))
      .openapi({ description: "The values in force by metric, without comments and demonstrations." }),
  })
  .openapi("Inference");
export type Inference = z.infer<typeof Inference>;

export const InferenceWithContent = Inference.extend({
  input: z
    .record(z.string(), z.unknown())
    .nullable()
    .openapi({ description: "The request's body; null where it was not kept." }),
  output: z.record(z.string(), z.unknown()).nullable().openapi({
    description:
      "The answer's body, of a stream as it would have been in one piece; `{events: […]}` of one that nobody heard to its end; null where it was not kept.",
  }),
  feedback: z.array(Feedback).openapi({ description: "Feedback in force, oldest first." }),
}).openapi("InferenceWithContent");
export type InferenceWithContent = z.infer<typeof InferenceWithContent>;

export const DeletedInference = z
  .object({
    id: z.string().openapi({ description: "The id it had." }),
    object: z.literal("inference.deleted").openapi({ description: "Always `inference.deleted`." }),
    deleted: z.boolean().openapi({ description: "Always true: it is gone, with its feedback." }),
  })
  .openapi("DeletedInference");
