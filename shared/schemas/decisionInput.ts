/** What a decision is about: a text, a conversation whose user messages are the text, or a row of a table. */
import { z } from "@hono/zod-openapi";

export const InputText = z
  .strictObject({
    type: z.literal("input_text").openapi({ description: "Always `input_text`." }),
    text: z.string().openapi({ description: "The text." }),
    prompt_cache_breakpoint: z.looseObject({}).nullish().openapi({ description: "Accepted and ignored." }),
  })
  .openapi("InputText");

const OutputText = z
  .strictObject({
    type: z.literal("output_text").openapi({ description: "Always `output_text`." }),
    text: z.string().openapi({ description: "What the assistant said." }),
  })
  .openapi("OutputText");

const OutputRefusal = z
  .strictObject({
    type: z.literal("refusal").openapi({ description: "Always `refusal`." }),
    refusal: z.string().openapi({ description: "How the assistant declined." }),
  })
  .openapi("OutputRefusal");

const JsonRow = z.record(z.string(), z.unknown());

const InputJson = z
  .strictObject({
    type: z.literal("input_json").openapi({ description: "Always `input_json`. For models tuned on tables." }),
    data: z.union([JsonRow, z.array(JsonRow)]).openapi({
      description:
        "The row to decide on, by column, or a list of that one row. A column that is absent, null or empty is missing.",
      example: { age: 39, workclass: "Private" },
    }),
    prompt_cache_breakpoint: z.looseObject({}).nullish().openapi({ description: "Accepted and ignored." }),
  })
  .openapi("InputJson");

/** OpenAI's other part: known, so that it can be refused by path and not as nonsense. */
const InputImage = z
  .looseObject({
    type: z.literal("input_image").openapi({ description: "Refused: the models here read texts and rows of tables." }),
  })
  .openapi("InputImage");

const Part = z.discriminatedUnion("type", [InputText, OutputText, OutputRefusal, InputJson, InputImage]);

const InputMessage = z
  .strictObject({
    type: z.literal("message").optional().openapi({ description: "Always `message`." }),
    role: z
      .enum(["user", "developer", "system", "assistant"])
      .openapi({ description: "Who speaks; the text to decide on is what `user` says." }),
    content: z.union([z.string(), z.array(Part)]).openapi({ description: "A text, or parts of one." }),
    phase: z.string().nullish().openapi({ description: "Accepted and ignored." }),
  })
  .openapi("InputMessage");

const OtherItem = z
  .looseObject({
    type: z
      .enum(["function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"])
      .openapi({ description: "Refused: the models here read text." }),
  })
  .openapi("OtherItem");

export const DecisionInput = z.union([z.string(), z.array(z.union([InputMessage, OtherItem])).min(1)]).openapi({
  description:
    "A text, or messages; the user's, joined by line breaks, are decided on. For a model tuned on tables, a user's message whose content is one `input_json` part.",
});
export type DecisionInput = z.infer<typeof DecisionInput>;
