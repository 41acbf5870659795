/** Answers that a worker makes for the API: of models too heavy to run where requests land. */
import { z } from "@hono/zod-openapi";
import { answerStates } from "../answerStates.ts";
import { Assignment } from "./assignment.ts";
import { Lease } from "./lease.ts";
import { Payload } from "./payload.ts";

export const AnswerTask = z
  .object({
    id: z.string().openapi({ description: "`answer_…`" }),
    object: z.literal("answer").openapi({ description: "Always `answer`." }),
    status: z.enum(answerStates).openapi({ description: "`response` is there once it is `completed` or `failed`." }),
    endpoint: z.string().openapi({ description: "What was asked, such as `/v1/decisions`." }),
    model: z.string().openapi({ description: "The model that was asked." }),
    request_id: z.string().openapi({ description: "The `x-request-id` that the answer has." }),
    url: z.string().openapi({ description: "Where to look for the answer." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    finished_at: z.int().nullable().openapi({ description: "Unix time of the final state; null before." }),
  })
  .openapi("AnswerTask");

export type AnswerTask = z.infer<typeof AnswerTask>;

export const AnswerWithResponse = AnswerTask.extend({
  response: z
    .object({
      status_code: z.int().openapi({ description: "As the endpoint would have answered at once." }),
      body: z.record(z.string(), z.unknown()).openapi({ description: "The endpoint's own body, or an error." }),
    })
    .nullable()
    .openapi({ description: "The answer; null before, and after a cancellation." }),
}).openapi("AnswerWithResponse");
export type AnswerWithResponse = z.infer<typeof AnswerWithResponse>;

/** The row. */
export const AnswerRecord = AnswerTask.omit({ object: true, url: true }).extend({
  project_id: z.string(),
  lease: Lease.nullable(),
  failures: z.int().min(0),
  request: Payload,
  /** Null: of none. */
  episode_id: z.string().nullable().default(null),
  /** Of a call of a function, decided when it was asked; null: a model was called. */
  assignment: Assignment.nullable().default(null),
  /** Whether its events are wanted one by one. */
  is_stream: z.boolean(),
  /** SHA-256 of what answered; null before, and where the model has no files. */
  digest: z.string().nullable(),
  /** Of what was answered as one body, or of the error. */
  response: z.object({ status_code: z.int(), body: Payload }).nullable(),
  /** The attempt whose events count; null while there are none. */
  written_by: z.string().nullable(),
  /** Set when the first event is passed on: from then on no other attempt may begin afresh. */
  relayed: z.boolean(),
  /** When DynamoDB deletes the row. */
  expires_at_ttl: z.int(),
});
export type AnswerRecord = z.infer<typeof AnswerRecord>;

/** Some events of a streamed answer, in order. */
export const AnswerChunk = z.object({
  events: z.array(z.object({ name: z.string().optional(), data: z.record(z.string(), z.unknown()) })),
  expires_at_ttl: z.int(),
});
export type AnswerChunk = z.infer<typeof AnswerChunk>;
