/** Completions: a text, and how a model goes on with it, whole or in chunks. */
import { z } from "@hono/zod-openapi";
import { CompletionUsage, FinishReason } from "./chatCompletion.ts";
import { ignored, model, onlyNull, optional, outputTokens, writingFields } from "./textSettings.ts";

const tokenIds = z.array(z.int().min(0)).min(1);

export const CreateCompletion = z
  .strictObject({
    model,
    prompt: z
      .union([z.string(), z.array(z.string()).min(1), tokenIds, z.array(tokenIds).min(1)])
      .openapi({ description: "A text or its token ids, or several of either.", example: "Once upon a time" }),
    ...writingFields,
    max_tokens: outputTokens("The most tokens of an answer. Default 16."),
    logprobs: optional(
      z.int().min(0).max(5),
      "0 to 5: each token's logarithm of probability, and of so many likeliest.",
    ),
    echo: z
      .boolean()
      .nullish()
      .openapi({ description: "Whether an answer begins with its prompt; not with `logprobs`.", example: false }),
    best_of: optional(z.int().min(1).max(128), "No more than `n`: all that is written is answered."),
    suffix: onlyNull("no model here writes what stands between"),
    user: z.string().nullish().openapi(ignored),
  })
  .openapi("CreateCompletion");
export type CreateCompletion = z.infer<typeof CreateCompletion>;

const CompletionLogprobs = z
  .object({
    tokens: z.array(z.string()).openapi({ description: "The tokens as text." }),
    token_logprobs: z.array(z.number()).openapi({ description: "Logarithms of their probabilities." }),
    top_logprobs: z
      .array(z.record(z.string(), z.number()))
      .openapi({ description: "At each place the likeliest tokens, and theirs." }),
    text_offset: z.array(z.int()).openapi({ description: "Where each token begins in the text, in characters." }),
  })
  .nullable();
export type CompletionLogprobs = z.infer<typeof CompletionLogprobs>;

const body = {
  id: z.string().openapi({ description: "`cmpl-…`" }),
  object: z.literal("text_completion").openapi({ description: "Always `text_completion`." }),
  created: z.int().openapi({ description: "Unix time in seconds." }),
  model: z.string().openapi({ description: "The model that answered." }),
  system_fingerprint: z.string().nullable().openapi({ description: "What answered." }),
};
const choice = {
  index: z.int().openapi({ description: "Which of the answers, those of the first prompt first." }),
  text: z.string().openapi({ description: "What was written." }),
  logprobs: CompletionLogprobs.openapi({ description: "What was asked for with `logprobs`; else null." }),
};

export const Completion = z
  .object({
    ...body,
    choices: z
      .array(z.object({ ...choice, finish_reason: FinishReason }))
      .openapi({ description: "`n` answers to each prompt." }),
    usage: CompletionUsage.openapi({ description: "What was read and written." }),
  })
  .openapi("Completion");
export type Completion = z.infer<typeof Completion>;

export const CompletionChunk = z
  .object({
    ...body,
    choices: z
      .array(
        z.object({
          ...choice,
          finish_reason: FinishReason.nullable().openapi({ description: "In an answer's last chunk." }),
        }),
      )
      .openapi({ description: "One answer's next words; none in the chunk that tells the usage." }),
    usage: CompletionUsage.nullish().openapi({ description: "In the last chunk, where it was asked for." }),
  })
  .openapi("CompletionChunk");
export type CompletionChunk = z.infer<typeof CompletionChunk>;
