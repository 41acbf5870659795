/** Chat completions: a conversation, and what a model says next, whole or in chunks. */
import { z } from "@hono/zod-openapi";
import { ChatAnswerMessage, ChatLogprobs, ChatMessageParam } from "./chatMessage.ts";
import { Metadata } from "./metadata.ts";
import { ResponseFormat } from "./responseFormat.ts";
import { ignored, model, onlyNull, optional, outputTokens, writingFields } from "./textSettings.ts";

const tools = z.array(z.looseObject({}));

export const CreateChatCompletion = z
  .strictObject({
    model,
    messages: z.array(ChatMessageParam).min(1).openapi({ description: "The conversation so far." }),
    ...writingFields,
    max_completion_tokens: outputTokens("The most tokens of an answer. Default: what the model's context leaves."),
    max_tokens: outputTokens("As `max_completion_tokens`, which goes before it."),
    logprobs: optional(z.boolean(), "Whether each token's logarithm of probability is told."),
    top_logprobs: optional(z.int().min(0).max(20), "0 to 20 of the likeliest tokens at each place; with `logprobs`."),
    response_format: ResponseFormat.optional().openapi({
      description: "What form the answer is held to. Default: text.",
    }),
    store: optional(z.boolean(), "Whether the completion is kept, to be retrieved and listed."),
    metadata: Metadata.nullish().openapi({
      description: "Labels of the stored completion; `episode_id` names its episode, `ep_…`.",
    }),
    tools: optional(tools, "Refused unless `tool_choice` is `none`: no model here calls tools."),
    tool_choice: optional(
      z.union([z.enum(["none", "auto", "required"]), z.looseObject({})]),
      "Only `none` and `auto`.",
    ),
    functions: z
      .array(z.looseObject({}))
      .max(0)
      .nullish()
      .openapi({ description: "Only an empty list: no model here calls functions.", example: [] }),
    function_call: optional(z.union([z.enum(["none", "auto"]), z.looseObject({})]), "Only `none` and `auto`."),
    modalities: optional(z.array(z.enum(["text"])), "Only text."),
    audio: onlyNull("the models here write text"),
    web_search_options: onlyNull("nothing is searched"),
    moderation: z.looseObject({}).nullish().openapi(ignored),
    parallel_tool_calls: z.boolean().nullish().openapi(ignored),
    prediction: z.looseObject({}).nullish().openapi(ignored),
    prompt_cache_key: z.string().nullish().openapi(ignored),
    prompt_cache_options: z.looseObject({}).nullish().openapi(ignored),
    prompt_cache_retention: z.string().nullish().openapi(ignored),
    reasoning_effort: z.string().nullish().openapi(ignored),
    safety_identifier: z.string().nullish().openapi(ignored),
    service_tier: z.string().nullish().openapi(ignored),
    user: z.string().nullish().openapi(ignored),
    verbosity: z.string().nullish().openapi(ignored),
  })
  .openapi("CreateChatCompletion");
export type CreateChatCompletion = z.infer<typeof CreateChatCompletion>;

export const FinishReason = z
  .enum(["stop", "length"])
  .openapi({ description: "`stop`: an end token or a stop sequence; `length`: there was no room for more." });

export const CompletionUsage = z
  .object({
    prompt_tokens: z.int().openapi({ description: "Tokens of the prompt, read once for all answers." }),
    completion_tokens: z.int().openapi({ description: "Tokens of all answers." }),
    total_tokens: z.int().openapi({ description: "Sum of both." }),
  })
  .openapi("CompletionUsage");
export type CompletionUsage = z.infer<typeof CompletionUsage>;

const id = z.string().openapi({ description: "`chatcmpl-…`" });
const created = z.int().openapi({ description: "Unix time in seconds." });
const name = z.string().openapi({ description: "The model that answered." });
const index = z.int().openapi({ description: "Which of the answers, from 0." });
const fingerprint = z
  .string()
  .nullable()
  .openapi({ description: "What answered; the same seed gives the same answer as long as it is the same." });
const logprobs = ChatLogprobs.openapi({ description: "What was asked for with `logprobs`; else null." });

export const ChatCompletion = z
  .object({
    id,
    object: z.literal("chat.completion").openapi({ description: "Always `chat.completion`." }),
    created,
    model: name,
    choices: z
      .array(
        z.object({
          index,
          message: ChatAnswerMessage.openapi({ description: "What the model said." }),
          finish_reason: FinishReason,
          logprobs,
        }),
      )
      .openapi({ description: "The answers, `n` of them." }),
    usage: CompletionUsage.openapi({ description: "What was read and written." }),
    system_fingerprint: fingerprint,
    service_tier: z.literal("default").openapi({ description: "Always `default`." }),
    metadata: Metadata.nullish().openapi({ description: "Of a stored completion." }),
  })
  .openapi("ChatCompletion");
export type ChatCompletion = z.infer<typeof ChatCompletion>;

export const ChatCompletionChunk = z
  .object({
    id,
    object: z.literal("chat.completion.chunk").openapi({ description: "Always `chat.completion.chunk`." }),
    created,
    model: name,
    choices: z
      .array(
        z.object({
          index,
          delta: z
            .object({
              role: z.literal("assistant").optional().openapi({ description: "In the first chunk of an answer." }),
              content: z.string().optional().openapi({ description: "What goes on from the chunks before." }),
              refusal: z.null().optional().openapi({ description: "Always null." }),
            })
            .openapi({ description: "What this chunk adds." }),
          finish_reason: FinishReason.nullable().openapi({ description: "In the last chunk of an answer." }),
          logprobs,
        }),
      )
      .openapi({ description: "One answer's next words; none in the chunk that tells the usage." }),
    usage: CompletionUsage.nullish().openapi({ description: "In the last chunk, where it was asked for." }),
    system_fingerprint: fingerprint,
    service_tier: z.literal("default").openapi({ description: "Always `default`." }),
  })
  .openapi("ChatCompletionChunk");
export type ChatCompletionChunk = z.infer<typeof ChatCompletionChunk>;
