/** Evals: what items look like and by which graders outputs pass, field for field as OpenAI's. */
import { z } from "@hono/zod-openapi";
import { TestingCriterion } from "./evalGrader.ts";
import { Metadata } from "./metadata.ts";

const metadata = Metadata.nullish().openapi({ description: "Labels of your own; null: none." });
const name = z.string().min(1).max(512);
const wanted = Metadata.nullish().openapi({ description: "Only what has these labels; null: whatever there is." });
const schema = z.record(z.string(), z.unknown());
const kind = <Type extends string>(type: Type, of: string) => z.literal(type).openapi({ description: of });

const kinds = {
  custom: kind("custom", "Items of your own."),
  stored_completions: kind("stored_completions", "Stored chat completions."),
  logs: kind("logs", "The same, by OpenAI's other name."),
};

/** As an eval that was retrieved has it. */
const known = schema.optional().openapi({ description: "Accepted and ignored: it is the same for all of them." });

const CreateConfig = z.discriminatedUnion("type", [
  z.strictObject({
    type: kinds.custom,
    item_schema: schema.openapi({
      description: "JSON schema of an item. What of it cannot be checked is refused.",
      example: {
        type: "object",
        properties: { text: { type: "string", description: "What is judged." } },
        required: ["text"],
      },
    }),
    include_sample_schema: z
      .boolean()
      .optional()
      .openapi({ description: "Whether runs bring samples, by a model or along with their items. Default false." }),
  }),
  z.strictObject({ type: kinds.stored_completions, metadata: wanted, schema: known }),
  z.strictObject({ type: kinds.logs, metadata: wanted, schema: known }),
]);

export const CreateEval = z
  .strictObject({
    name: name.optional().openapi({ description: "What it is called. Default: its id." }),
    data_source_config: CreateConfig.openapi({ description: "What the items of its runs look like." }),
    testing_criteria: z.array(TestingCriterion).min(1).max(100).openapi({ description: "All must pass." }),
    metadata,
  })
  .openapi("CreateEval");
export type CreateEval = z.infer<typeof CreateEval>;

export const UpdateEval = z
  .strictObject({
    name: name.optional().openapi({ description: "What it is called from now on." }),
    metadata,
  })
  .openapi("UpdateEval");
export type UpdateEval = z.infer<typeof UpdateEval>;

const answered = schema.openapi({ description: "JSON schema of `item` and `sample`." });
const Config = z.discriminatedUnion("type", [
  z.object({ type: kinds.custom, schema: answered }),
  z.object({ type: kinds.stored_completions, schema: answered, metadata: wanted }),
  z.object({ type: kinds.logs, schema: answered, metadata: wanted }),
]);

export const Eval = z
  .object({
    id: z.string().openapi({ description: "`eval_…`" }),
    object: z.literal("eval").openapi({ description: "Always `eval`." }),
    name: z.string().openapi({ description: "As given; else its id." }),
    data_source_config: Config.openapi({ description: "What the items of its runs look like." }),
    testing_criteria: z.array(TestingCriterion).openapi({ description: "As given." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    metadata: Metadata.nullable().openapi({ description: "As given; null: none." }),
  })
  .openapi("Eval");
export type Eval = z.infer<typeof Eval>;

export const EvalRecord = Eval.extend({ project_id: z.string(), updated_at: z.int() });
export type EvalRecord = z.infer<typeof EvalRecord>;

export const DeletedEval = z
  .object({
    object: z.literal("eval.deleted").openapi({ description: "Always `eval.deleted`." }),
    deleted: z.literal(true).openapi({ description: "Always true: it is gone, with its runs." }),
    eval_id: z.string().openapi({ description: "The id it had." }),
  })
  .openapi("DeletedEval");
