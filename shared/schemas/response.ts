/** Responses: OpenAI's newer form of asking a model for a text, of which text is what is here. */
import { z } from "@hono/zod-openapi";
import { TokenLogprob } from "./chatMessage.ts";
import { Metadata } from "./metadata.ts";
import { TextFormat } from "./responseFormat.ts";
import { ResponseInput } from "./responseInput.ts";
import { ignored, model, onlyNull, optional, outputTokens, samplingFields } from "./textSettings.ts";

export const CreateResponse = z
  .strictObject({
    model,
    input: ResponseInput,
    instructions: optional(z.string(), "What the model is told before the input, as `system`."),
    max_output_tokens: outputTokens("The most tokens of the answer. Default: what the model's context leaves."),
    ...samplingFields,
    top_logprobs: optional(z.int().min(0).max(20), "0 to 20 of the likeliest tokens; with `include`."),
    include: optional(
      z.array(z.enum(["message.output_text.logprobs"])),
      "`message.output_text.logprobs` tells each token's logarithm of probability.",
    ),
    text: optional(
      z.strictObject({
        format: TextFormat.optional().openapi({ description: "What form the answer is held to. Default: text." }),
        verbosity: z.string().nullish().openapi(ignored),
      }),
      "How the answer is written.",
    ),
    stream: optional(z.boolean(), "Whether the answer comes as events while it is written."),
    stream_options: optional(
      z.strictObject({ include_obfuscation: z.boolean().nullish().openapi(ignored) }),
      "Only with `stream`.",
    ),
    metadata: Metadata.nullish().openapi({ description: "Labels, returned with the response." }),
    tools: optional(z.array(z.looseObject({})), "Refused unless `tool_choice` is `none`: no model here calls tools."),
    tool_choice: optional(
      z.union([z.enum(["none", "auto", "required"]), z.looseObject({})]),
      "Only `none` and `auto`.",
    ),
    truncation: optional(z.enum(["disabled", "auto"]), "Only `disabled`: a conversation that is too long is refused."),
    background: z
      .boolean()
      .nullish()
      .openapi({ description: "Only false: a response is answered while one waits.", example: false }),
    previous_response_id: onlyNull("responses are not kept, so send the whole conversation as `input`"),
    conversation: onlyNull("conversations are not kept, so send the whole of it as `input`"),
    prompt: onlyNull("there are no stored prompts"),
    store: optional(z.boolean(), "Accepted and ignored: responses are not kept."),
    max_tool_calls: z.int().nullish().openapi(ignored),
    moderation: z.looseObject({}).nullish().openapi(ignored),
    parallel_tool_calls: z.boolean().nullish().openapi(ignored),
    prompt_cache_key: z.string().nullish().openapi(ignored),
    prompt_cache_options: z.looseObject({}).nullish().openapi(ignored),
    prompt_cache_retention: z.string().nullish().openapi(ignored),
    reasoning: z.looseObject({}).nullish().openapi(ignored),
    safety_identifier: z.string().nullish().openapi(ignored),
    service_tier: z.string().nullish().openapi(ignored),
    user: z.string().nullish().openapi(ignored),
  })
  .openapi("CreateResponse");
export type CreateResponse = z.infer<typeof CreateResponse>;

const count = (description: string) => z.int().openapi({ description });

export const OutputText = z
  .object({
    type: z.literal("output_text").openapi({ description: "Always `output_text`." }),
    text: z.string().openapi({ description: "What the model wrote." }),
    annotations: z.array(z.looseObject({})).openapi({ description: "Always empty." }),
    logprobs: z.array(TokenLogprob).openapi({ description: "One for each token, where they were asked for." }),
  })
  .openapi("ResponseOutputText");
export type OutputText = z.infer<typeof OutputText>;

export const OutputMessage = z
  .object({
    id: z.string().openapi({ description: "`msg_…`" }),
    type: z.literal("message").openapi({ description: "Always `message`." }),
    role: z.literal("assistant").openapi({ description: "Always `assistant`." }),
    status: z.enum(["in_progress", "completed", "incomplete"]).openapi({ description: "How far it has come." }),
    content: z.array(OutputText).openapi({ description: "One text." }),
  })
  .openapi("ResponseOutputMessage");
export type OutputMessage = z.infer<typeof OutputMessage>;

const Usage = z
  .object({
    input_tokens: count("Tokens of the prompt."),
    input_tokens_details: z
      .object({ cached_tokens: count("Always 0."), cache_write_tokens: count("Always 0.") })
      .openapi({ description: "Nothing is cached." }),
    output_tokens: count("Tokens of the answer."),
    output_tokens_details: z
      .object({ reasoning_tokens: count("Always 0.") })
      .openapi({ description: "Nothing is thought aside." }),
    total_tokens: count("Sum of both."),
  })
  .openapi("ResponseUsage");

const echoed = { description: "As it was asked for." };

export const Response = z
  .object({
    id: z.string().openapi({ description: "`resp_…`" }),
    object: z.literal("response").openapi({ description: "Always `response`." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    completed_at: z.int().nullable().openapi({ description: "Unix time in seconds; null before." }),
    status: z
      .enum(["in_progress", "completed", "incomplete"])
      .openapi({ description: "`incomplete`: there was no room for more." }),
    background: z.boolean().openapi({ description: "Always false." }),
    error: z.null().openapi({ description: "Always null: an error is an answer of its own." }),
    incomplete_details: z
      .object({ reason: z.literal("max_output_tokens").openapi({ description: "Always `max_output_tokens`." }) })
      .nullable()
      .openapi({ description: "Why it is incomplete." }),
    instructions: z.string().nullable().openapi(echoed),
    max_output_tokens: z.int().nullable().openapi(echoed),
    model: z.string().openapi({ description: "The model that answered." }),
    output: z.array(OutputMessage).openapi({ description: "One message." }),
    parallel_tool_calls: z.boolean().openapi({ description: "Always true; nothing comes of it." }),
    previous_response_id: z.null().openapi({ description: "Always null." }),
    reasoning: z
      .object({
        effort: z.null().openapi({ description: "Always null." }),
        summary: z.null().openapi({ description: "Always null." }),
      })
      .openapi({ description: "Nothing is thought aside." }),
    service_tier: z.literal("default").openapi({ description: "Always `default`." }),
    store: z.boolean().openapi({ description: "Always false: responses are not kept." }),
    temperature: z.number().openapi(echoed),
    text: z
      .object({ format: TextFormat.openapi({ description: "What form the answer was held to." }) })
      .openapi({ description: "How it was written." }),
    tool_choice: z.enum(["none", "auto"]).openapi(echoed),
    tools: z.array(z.looseObject({})).openapi({ description: "Always empty." }),
    top_logprobs: z.int().openapi(echoed),
    top_p: z.number().openapi(echoed),
    truncation: z.literal("disabled").openapi({ description: "Always `disabled`." }),
    usage: Usage.nullable().openapi({ description: "What was read and written; null before the end." }),
    metadata: Metadata.nullable().openapi({ description: "As given; null: none." }),
  })
  .openapi("Response");
export type Response = z.infer<typeof Response>;

/** One of its events; the fields besides depend on the type. */
export const ResponseEvent = z
  .looseObject({
    type: z.string().openapi({ description: "Also the event's name, such as `response.output_text.delta`." }),
    sequence_number: z.int().openapi({ description: "Counts the events from 0." }),
  })
  .openapi("ResponseEvent");
