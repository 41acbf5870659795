/** What form an answer is held to: any text, any JSON object, or JSON by a schema. */
import { z } from "@hono/zod-openapi";
import { optional } from "./textSettings.ts";

/** A schema and what it is called. */
const schemaFields = {
  name: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/, "not a name of up to 64 letters, digits, underscores and hyphens")
    .openapi({ description: "Up to 64 letters, digits, underscores and hyphens.", example: "pet" }),
  description: optional(z.string(), "Accepted and ignored."),
  schema: z
    .looseObject({})
    .openapi({
      description: "What the answer fits: OpenAI's strict subset of JSON Schema. Any object where absent.",
      example: {
        type: "object",
        properties: { name: { type: "string", description: "What it is called." } },
        required: ["name"],
      },
    })
    .optional(),
  strict: optional(z.boolean(), "Answers always fit the schema, whatever stands here."),
};

export const JsonSchemaFormat = z.strictObject(schemaFields).openapi("JsonSchemaFormat");

const plain = {
  text: z.strictObject({ type: z.literal("text").openapi({ description: "Any text." }) }),
  object: z.strictObject({ type: z.literal("json_object").openapi({ description: "Any JSON object." }) }),
};

/** Of a chat completion. */
export const ResponseFormat = z.discriminatedUnion("type", [
  plain.text,
  plain.object,
  z.strictObject({
    type: z.literal("json_schema").openapi({ description: "JSON that fits a schema." }),
    json_schema: JsonSchemaFormat.openapi({ description: "The schema, and what it is called." }),
  }),
]);
export type ResponseFormat = z.infer<typeof ResponseFormat>;

/** Of a response, where the schema's fields stand beside its type. */
export const TextFormat = z.discriminatedUnion("type", [
  plain.text,
  plain.object,
  z.strictObject({
    type: z.literal("json_schema").openapi({ description: "JSON that fits a schema." }),
    ...schemaFields,
  }),
]);
export type TextFormat = z.infer<typeof TextFormat>;
