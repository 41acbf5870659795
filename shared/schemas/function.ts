/** Functions: tasks that clients name, and the variants that may answer them, each a model with parameters. */
import { z } from "@hono/zod-openapi";
import { CreateDecision } from "./decision.ts";
import { CreateEmbedding } from "./embedding.ts";
import { CreateResponse } from "./response.ts";
import { outputTokens, writingFields } from "./textSettings.ts";

/** Of functions and of variants. */
export const functionNamePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const Name = z
  .string()
  .regex(functionNamePattern, "1 to 64 of a to z, digits, dots, hyphens and underscores, the first a letter or digit");
const Reason = z.string().min(1).max(500);

/** What stands before a function's name in the place of a model's. */
export const functionPrefix = "fn:";

const { temperature, top_p, frequency_penalty, presence_penalty, logit_bias, seed, stop } = writingFields;

export const VariantParameters = z
  .strictObject({
    temperature,
    top_p,
    frequency_penalty,
    presence_penalty,
    logit_bias,
    seed,
    stop,
    max_tokens: outputTokens("The most tokens of an answer, by whichever name the endpoint calls that."),
    instructions: CreateResponse.shape.instructions,
    min_precision: CreateDecision.shape.min_precision,
    explain: CreateDecision.shape.explain,
    dimensions: CreateEmbedding.shape.dimensions,
  })
  .openapi("VariantParameters", {
    description:
      "What a request does not say itself, in the words of the endpoints; each is read by those endpoints that know it.",
  });
export type VariantParameters = z.infer<typeof VariantParameters>;

export const Variant = z
  .strictObject({
    name: Name.openapi({ description: "Within its function." }),
    model: z.string().min(1).max(512).openapi({ description: "A base, a tuned model of yours, or `alias:…`." }),
    parameters: VariantParameters.optional().openapi({ description: "Absent: requests alone say." }),
  })
  .openapi("Variant");
export type Variant = z.infer<typeof Variant>;

export const mostVariants = 20;
const Variants = z
  .array(Variant)
  .min(1)
  .max(mostVariants)
  .openapi({
    description: `1 to ${mostVariants} variants of different names.`,
    example: [{ name: "first", model: "millrace-ngram", parameters: { min_precision: 0.9, temperature: 0.5 } }],
  });

const description = z.string().max(1000).nullish().openapi({ description: "For people; null: none." });
const incumbent = (absent: string) =>
  Name.optional().openapi({
    description: `The variant that answers wherever no experiment says otherwise. Absent: ${absent}.`,
    example: "first",
  });
const reason = Reason.nullish().openapi({ description: "Why the incumbent is what it is; null: none." });

export const CreateFunction = z
  .strictObject({
    name: Name.openapi({
      description: "Letters, digits, dots, hyphens and underscores.",
      example: "support-intent",
    }),
    description,
    variants: Variants,
    incumbent: incumbent("the first"),
    reason,
  })
  .openapi("CreateFunction");
export type CreateFunction = z.infer<typeof CreateFunction>;

export const UpdateFunction = z
  .strictObject({
    description,
    variants: Variants.optional().openapi({
      description:
        "All variants from now on; absent: as they are. While an experiment has not ended, there may only be more of them.",
    }),
    incumbent: incumbent("as it is"),
    reason,
  })
  .openapi("UpdateFunction");
export type UpdateFunction = z.infer<typeof UpdateFunction>;

export const MillraceFunction = z
  .object({
    id: z.string().openapi({ description: "What to put in the place of a model's name: `fn:` and the name." }),
    object: z.literal("function").openapi({ description: "Always `function`." }),
    name: Name.openapi({ description: "As given." }),
    description: z.string().nullable().openapi({ description: "For people; null: none." }),
    variants: z.array(Variant).openapi({ description: "Who may answer." }),
    incumbent: z.string().openapi({ description: "The variant that answers wherever no experiment says otherwise." }),
    incumbent_since: z.int().openapi({ description: "Unix time in seconds." }),
    incumbent_reason: z.string().nullable().openapi({ description: "As given; null: none." }),
    incumbent_set_by: z.string().openapi({ description: "Id of the API key, or of what made it the incumbent." }),
    previous_incumbent: z
      .string()
      .nullable()
      .openapi({ description: "The variant to go back to; null: there was none, or it is gone." }),
    experiment_id: z
      .string()
      .nullable()
      .openapi({ description: "The experiment that has not ended; null: none. There is one at a time." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    updated_at: z.int().openapi({ description: "Unix time in seconds of the last change." }),
  })
  .openapi("Function");
export type MillraceFunction = z.infer<typeof MillraceFunction>;

/** The row. */
export const FunctionRecord = MillraceFunction.extend({
  project_id: z.string(),
  /** Counts changes, so that of two at once one is told to look again. */
  revision: z.int(),
});
export type FunctionRecord = z.infer<typeof FunctionRecord>;

export const DeletedFunction = z
  .object({
    id: z.string().openapi({ description: "The function it was." }),
    object: z.literal("function").openapi({ description: "Always `function`." }),
    deleted: z.literal(true).openapi({ description: "Always true; what was answered in its name is kept." }),
  })
  .openapi("DeletedFunction");
