/** Inferences: one answer of a model each, kept for those who judge and retrain. */
import { z } from "zod";
import { Payload } from "./payload.ts";

/** The row, which its project alone sees. */
export const InferenceRecord = z.object({
  /** The `x-request-id` of the answer, or the `request_id` of a batch's line. */
  id: z.string(),
  project_id: z.string(),
  /** What was asked, such as `/v1/decisions`. */
  endpoint: z.string(),
  model: z.string(),
  /** Of an experiment; null: of none. */
  variant: z.string().nullable(),
  /** SHA-256 of what answered; null where the model has no files. */
  digest: z.string().nullable(),
  /** The request's body; null where the project keeps metadata alone. */
  input: Payload.nullable(),
  /** The answer's body, or, of a streamed one, `{"events": [...]}`; null where the project keeps metadata alone. */
  output: Payload.nullable(),
  /** Whether it was answered to its end: a client may leave a stream before. */
  is_complete: z.boolean(),
  /** From the request to the answer's end, where it was made; waiting in a queue does not count. */
  latency_ms: z.number(),
  /** Unix time in seconds. */
  created_at: z.int(),
});
export type InferenceRecord = z.infer<typeof InferenceRecord>;
