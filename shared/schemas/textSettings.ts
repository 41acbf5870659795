/** What every request for a text may say of how it is written, in the words of OpenAI's chat completions. */
import { z } from "@hono/zod-openapi";

export const ignored = { description: "Accepted and ignored." };

/** As they stand in OpenAI's requests: null is as good as absent. */
export const optional = <Schema extends z.ZodType>(schema: Schema, description: string) =>
  schema.nullish().openapi({ description });

/** A field of OpenAI's that would change the answer, and of which there is nothing here. */
export const onlyNull = (why: string) =>
  z
    .null()
    .optional()
    .openapi({ description: `Only null: ${why}.`, example: null });

const tokens = z.int().min(1);

export const samplingFields = {
  temperature: optional(z.number().min(0).max(2), "0 to 2; 0 takes the likeliest token each time. Default 1."),
  top_p: optional(
    z.number().min(0).max(1),
    "Draws from the likeliest tokens that make up this share of probability; 0 takes the likeliest. Default 1.",
  ),
};

export const writingFields = {
  ...samplingFields,
  frequency_penalty: optional(
    z.number().min(-2).max(2),
    "-2 to 2, taken from a token's logit for each time it was written. Default 0.",
  ),
  presence_penalty: optional(
    z.number().min(-2).max(2),
    "-2 to 2, taken from the logits of tokens that were written. Default 0.",
  ),
  logit_bias: optional(
    z.record(z.string().regex(/^\d{1,9}$/, "not a token id"), z.number().min(-100).max(100)),
    "-100 to 100 by token id, added to its logit.",
  ),
  n: optional(z.int().min(1).max(128), "How many answers are written, 1 to 128. Default 1."),
  seed: optional(z.int(), "Same request, same seed, same answer. Default: another one each time."),
  stop: optional(
    z.union([z.string().min(1), z.array(z.string().min(1)).max(4)]),
    "Up to 4 sequences that end the answer and are no part of it.",
  ),
  stream: optional(z.boolean(), "Whether the answer comes as events while it is written."),
  stream_options: optional(
    z.strictObject({
      include_usage: optional(z.boolean(), "Whether a last chunk without choices tells the usage."),
      include_obfuscation: optional(z.boolean(), "Accepted and ignored."),
    }),
    "Only with `stream`.",
  ),
};

export const outputTokens = (description: string) => optional(tokens, description);

export const model = z.string().min(1).openapi({
  description: "A model of `GET /v1/models` that writes texts, or a tuned classifier, which writes its label.",
});
