/** Moderations: texts judged by a fine-tuned classifier whose labels are kinds of harm, field for field as OpenAI's. */
import { z } from "@hono/zod-openapi";
import { ofOneKind } from "./oneKind.ts";

/** OpenAI's thirteen. */
export const moderationCategories = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
] as const;
export type ModerationCategory = (typeof moderationCategories)[number];

const TextPart = z
  .strictObject({
    type: z.literal("text").openapi({ description: "Always `text`." }),
    text: z.string().openapi({ description: "The text to judge." }),
  })
  .openapi("ModerationTextPart");

/** Known, so that it can be refused by path and not as nonsense. */
const ImagePart = z
  .looseObject({ type: z.literal("image_url").openapi({ description: "Refused: the models here read text." }) })
  .openapi("ModerationImagePart");

const Part = z.discriminatedUnion("type", [TextPart, ImagePart]);

export const CreateModeration = z
  .strictObject({
    model: z.string().min(1).optional().openapi({
      description:
        "A fine-tuned model whose labels are OpenAI's categories, other kinds of harm, or words for harmless (`safe`, `none`, `ok` …). Absent, or one of OpenAI's names such as `omni-moderation-latest`: the one the operator assigned by `MILLRACE_MODERATION_MODEL`.",
    }),
    input: z
      .union([
        z.string(),
        z
          .array(z.union([z.string(), Part]))
          .min(1)
          .max(2048),
      ])
      .superRefine(ofOneKind)
      .openapi({
        description: "A text; up to 2,048 texts, each judged on its own; or parts of one text.",
        example: "You are all wonderful.",
      }),
  })
  .openapi("CreateModeration");
export type CreateModeration = z.infer<typeof CreateModeration>;

const forEach = <Schema extends z.ZodType>(schema: (category: ModerationCategory) => Schema) =>
  z.object(
    Object.fromEntries(moderationCategories.map((category) => [category, schema(category)])) as Record<
      ModerationCategory,
      Schema
    >,
  );

const score = z.number().min(0).max(1);

const ModerationResult = z
  .object({
    flagged: z.boolean().openapi({ description: "Whether any score, of whatever kind of harm, is over 0.5." }),
    categories: forEach((category) =>
      z.boolean().openapi({ description: `Whether the score of \`${category}\` is over 0.5.` }),
    ).openapi({ description: "OpenAI's categories; those the model has no label for are false." }),
    category_scores: forEach((category) =>
      score.openapi({ description: `Probability of the label \`${category}\`; 0: the model has none.` }),
    ).openapi({ description: "Probabilities, 0 to 1." }),
    category_applied_input_types: forEach((category) =>
      z.array(z.literal("text")).openapi({ description: `Empty: the model has no label \`${category}\`.` }),
    ).openapi({ description: "Which of the categories the model can tell at all, and from what." }),
    other_category_scores: z.record(z.string(), score).openapi({
      description: "Millrace's own. Probabilities of the model's other labels, which are no words for harmless.",
    }),
  })
  .openapi("ModerationResult");
export type ModerationResult = z.infer<typeof ModerationResult>;

export const Moderation = z
  .object({
    id: z.string().openapi({ description: "`modr-…`" }),
    model: z.string().openapi({ description: "The model that judged." }),
    results: z.array(ModerationResult).openapi({ description: "In the order of the texts." }),
  })
  .openapi("Moderation");
export type Moderation = z.infer<typeof Moderation>;
