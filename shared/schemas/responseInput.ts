/** What a response answers: a text, or a conversation of messages. */
import { z } from "@hono/zod-openapi";
import { optional } from "./textSettings.ts";

const ignored = (type: z.ZodType) => type.nullish().openapi({ description: "Accepted and ignored." });
const words = (type: "input_text" | "output_text", who: string) =>
  z.strictObject({
    type: z.literal(type).openapi({ description: `Always \`${type}\`.` }),
    text: z.string().openapi({ description: `What ${who} said.` }),
    annotations: ignored(z.array(z.looseObject({}))),
    logprobs: ignored(z.array(z.looseObject({}))),
    prompt_cache_breakpoint: ignored(z.looseObject({})),
  });

const Part = z.discriminatedUnion("type", [
  words("input_text", "the user"),
  words("output_text", "the assistant"),
  z.strictObject({
    type: z.literal("refusal").openapi({ description: "Always `refusal`." }),
    refusal: z.string().openapi({ description: "How the assistant declined." }),
  }),
  z.looseObject({
    type: z
      .enum(["input_image", "input_file", "input_audio"])
      .openapi({ description: "Refused: the models here read text." }),
  }),
]);

const Message = z
  .strictObject({
    type: z.literal("message").optional().openapi({ description: "Always `message`." }),
    role: z
      .enum(["user", "assistant", "system", "developer"])
      .openapi({ description: "Who speaks; `developer` is as `system`." }),
    content: z.union([z.string(), z.array(Part)]).openapi({ description: "A text, or parts of one." }),
    id: optional(z.string(), "Accepted and ignored."),
    status: optional(z.string(), "Accepted and ignored."),
    phase: optional(z.string(), "Accepted and ignored."),
  })
  .openapi("ResponseInputMessage");
export type ResponseInputMessage = z.infer<typeof Message>;

/** OpenAI's other items: known, so that they can be refused by path and not as nonsense. */
const OtherItem = z
  .looseObject({
    type: z
      .enum([
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
        "item_reference",
      ])
      .openapi({ description: "Refused: the models here read text and call no tools." }),
  })
  .openapi("ResponseOtherItem");

export const ResponseInput = z
  .union([z.string(), z.array(z.union([Message, OtherItem])).min(1)])
  .openapi({ description: "A text, or the messages so far." });
export type ResponseInput = z.infer<typeof ResponseInput>;
