/** Objects of OpenAI's API, as far as they are brought over; all else of them is let pass. */
import { z } from "zod";

export const OpenAiJob = z.looseObject({
  id: z.string(),
  model: z.string(),
  status: z.string(),
  training_file: z.string(),
  validation_file: z.string().nullish(),
  fine_tuned_model: z.string().nullish(),
  user_provided_suffix: z.string().nullish(),
  seed: z.int().nullish(),
  method: z.looseObject({ type: z.string() }).nullish(),
});
export type OpenAiJob = z.infer<typeof OpenAiJob>;

export const OpenAiFile = z.looseObject({ id: z.string(), filename: z.string() });
export type OpenAiFile = z.infer<typeof OpenAiFile>;

export const OpenAiEval = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  data_source_config: z.looseObject({ type: z.string() }),
  testing_criteria: z.array(z.looseObject({})),
  metadata: z.record(z.string(), z.string()).nullish(),
});
export type OpenAiEval = z.infer<typeof OpenAiEval>;

const count = z.int().min(0).default(0);
export const OpenAiEvalRun = z.looseObject({
  id: z.string(),
  eval_id: z.string(),
  name: z.string().nullish(),
  model: z.string().nullish(),
  status: z.string(),
  result_counts: z.looseObject({ total: count, passed: count, failed: count, errored: count }).optional(),
});
export type OpenAiEvalRun = z.infer<typeof OpenAiEvalRun>;
