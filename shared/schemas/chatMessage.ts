/** What is said in a conversation, and what a model answered to it. */
import { z } from "@hono/zod-openapi";
import { onlyNull, optional } from "./textSettings.ts";

const TextPart = z
  .strictObject({
    type: z.literal("text").openapi({ description: "Always `text`." }),
    text: z.string().openapi({ description: "The text." }),
    prompt_cache_breakpoint: z.looseObject({}).nullish().openapi({ description: "Accepted and ignored." }),
  })
  .openapi("ChatTextPart");

const RefusalPart = z
  .strictObject({
    type: z.literal("refusal").openapi({ description: "Always `refusal`." }),
    refusal: z.string().openapi({ description: "How the assistant declined." }),
  })
  .openapi("ChatRefusalPart");

/** OpenAI's other parts: known, so that they can be refused by path and not as nonsense. */
const OtherPart = z
  .looseObject({
    type: z.enum(["image_url", "input_audio", "file"]).openapi({ description: "Refused: the models here read text." }),
  })
  .openapi("ChatOtherPart");

export const ChatMessageParam = z
  .strictObject({
    role: z
      .enum(["user", "system", "developer", "assistant", "tool", "function"])
      .openapi({ description: "Who speaks. `developer` is as `system`; `tool` and `function` are refused." }),
    content: z
      .union([z.string(), z.array(z.discriminatedUnion("type", [TextPart, RefusalPart, OtherPart]))])
      .nullable()
      .openapi({ description: "A text, or parts of one; null where an assistant said nothing." }),
    name: optional(z.string(), "Passed on to the model's chat template."),
    refusal: optional(z.string(), "How the assistant declined, where it said nothing else."),
    annotations: optional(z.array(z.looseObject({})), "Accepted and ignored."),
    audio: onlyNull("the models here read text"),
    tool_calls: optional(z.array(z.looseObject({})).max(0), "Only an empty list: no model here calls tools."),
    function_call: onlyNull("no model here calls tools"),
    tool_call_id: optional(z.string(), "Accepted and ignored."),
  })
  .openapi("ChatMessageParam");
export type ChatMessageParam = z.infer<typeof ChatMessageParam>;

const bytes = z
  .array(z.int().min(0).max(255))
  .nullable()
  .openapi({ description: "The token's bytes: several tokens may make one character." });
const spelled = {
  token: z.string().openapi({ description: "The token as text." }),
  bytes,
  logprob: z.number().openapi({ description: "Logarithm of its probability, before temperature and penalties." }),
};

export const TokenLogprob = z
  .object({
    ...spelled,
    top_logprobs: z.array(z.object(spelled)).openapi({ description: "The likeliest tokens at this place." }),
  })
  .openapi("TokenLogprob");
export type TokenLogprob = z.infer<typeof TokenLogprob>;

export const ChatLogprobs = z
  .object({
    content: z.array(TokenLogprob).nullable().openapi({ description: "One for each token." }),
    refusal: z.array(TokenLogprob).nullable().openapi({ description: "Always null." }),
  })
  .nullable();
export type ChatLogprobs = z.infer<typeof ChatLogprobs>;

export const ChatAnswerMessage = z
  .object({
    role: z.literal("assistant").openapi({ description: "Always `assistant`." }),
    content: z.string().nullable().openapi({ description: "What the model wrote." }),
    refusal: z.string().nullable().openapi({ description: "Always null." }),
    annotations: z.array(z.looseObject({})).openapi({ description: "Always empty." }),
  })
  .openapi("ChatAnswerMessage");
