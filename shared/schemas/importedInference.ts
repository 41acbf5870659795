/** Inferences that were answered elsewhere, brought in with what was said: chat completions as OpenAI keeps them. */
import { z } from "@hono/zod-openapi";
import { Metadata } from "./metadata.ts";

/** Told in `metadata` under this name. */
export const importedIdLabel = "imported_id";

const Message = z.looseObject({
  role: z.string().min(1).max(64).openapi({ description: "Who spoke." }),
});

const Choice = z.looseObject({
  message: z
    .looseObject({
      content: z.string().nullish().openapi({ description: "What was answered; null: no text was." }),
    })
    .openapi({ description: "The answer." }),
});

export const ImportedInference = z
  .strictObject({
    id: z.string().min(1).max(256).openapi({ description: "The id it had there, such as `chatcmpl-…`." }),
    model: z.string().min(1).max(256).openapi({ description: "The model that answered there." }),
    created_at: z.int().min(0).openapi({ description: "Unix time in seconds of the request." }),
    input: z
      .looseObject({ messages: z.array(Message).min(1).openapi({ description: "The conversation until then." }) })
      .openapi({ description: "The request's body, as far as it is known." }),
    output: z
      .looseObject({ choices: z.array(Choice).min(1).openapi({ description: "The answers." }) })
      .openapi({ description: "The chat completion." }),
    metadata: Metadata.nullish().openapi({
      description: `Its labels, at most 15: \`${importedIdLabel}\` is added.`,
    }),
  })
  .openapi("ImportedInference");
export type ImportedInference = z.infer<typeof ImportedInference>;

export const ImportInferences = z
  .strictObject({
    data: z.array(ImportedInference).min(1).max(100).openapi({ description: "1 to 100 inferences." }),
  })
  .openapi("ImportInferences");
export type ImportInferences = z.infer<typeof ImportInferences>;

export const InferenceImport = z
  .object({
    object: z.literal("inference.import").openapi({ description: "Always `inference.import`." }),
    id: z.string().openapi({ description: "`req_…`: its id here, the same each time it is brought in." }),
    imported_id: z.string().openapi({ description: "The id it had there." }),
    is_new: z.boolean().openapi({ description: "False where it was here already, and is left as it was." }),
    is_stored: z.boolean().openapi({
      description: "Whether it is a stored chat completion, too; those that called tools or were cut off are not.",
    }),
  })
  .openapi("InferenceImport");
export type InferenceImport = z.infer<typeof InferenceImport>;
