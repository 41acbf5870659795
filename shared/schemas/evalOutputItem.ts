/** What became of one item of a run: what was answered, and what graders say of it. */
import { z } from "@hono/zod-openapi";
import { Payload } from "./payload.ts";

export const outputItemStates = ["pass", "fail", "error"] as const;

const Message = z.object({
  role: z.string().openapi({ description: "Who speaks." }),
  content: z.string().openapi({ description: "What is said." }),
});
const count = (description: string) => z.int().min(0).openapi({ description });
const ItemError = z.object({
  code: z.string().openapi({ description: "Machine-readable cause." }),
  message: z.string().openapi({ description: "What went wrong." }),
});
const set = <Schema extends z.ZodType>(schema: Schema, description: string) =>
  schema.nullable().openapi({ description: `${description}; null: not told.` });

export const EvalSample = z
  .object({
    input: z.array(Message).openapi({ description: "What the model was asked." }),
    output: z.array(Message).openapi({ description: "What it answered." }),
    finish_reason: set(z.string(), "Why it ended"),
    model: set(z.string(), "Who answered"),
    usage: z
      .object({
        prompt_tokens: count("Tokens read."),
        completion_tokens: count("Tokens written."),
        total_tokens: count("Sum of both."),
        cached_tokens: count("Always 0."),
      })
      .openapi({ description: "What was read and written." }),
    error: ItemError.nullable().openapi({ description: "Why there is no answer; null otherwise." }),
    temperature: set(z.number(), "As asked for"),
    max_completion_tokens: set(z.int(), "As asked for"),
    top_p: set(z.number(), "As asked for"),
    seed: set(z.int(), "As asked for"),
  })
  .openapi("EvalSample");
export type EvalSample = z.infer<typeof EvalSample>;

export const EvalResult = z
  .object({
    name: z.string().openapi({ description: "The grader's." }),
    type: z.string().openapi({ description: "The grader's." }),
    score: z.number().openapi({ description: "What it gave; 0 where it could not grade." }),
    passed: z.boolean().openapi({ description: "Whether that passes." }),
    sample: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: "What its model was asked and said; null: it has none." }),
    error: ItemError.nullable().openapi({ description: "Millrace's own: why it could not grade; null otherwise." }),
  })
  .openapi("EvalResult");
export type EvalResult = z.infer<typeof EvalResult>;

const contentFields = {
  datasource_item: z.record(z.string(), z.unknown()).openapi({ description: "The item." }),
  sample: EvalSample.openapi({ description: "What was answered." }),
  results: z.array(EvalResult).openapi({ description: "What graders say, in the order of the criteria." }),
};
export const EvalItemContent = z.object(contentFields);
export type EvalItemContent = z.infer<typeof EvalItemContent>;

const rowFields = {
  id: z.string().openapi({ description: "`outputitem_…`" }),
  run_id: z.string().openapi({ description: "Of which run." }),
  eval_id: z.string().openapi({ description: "Of which eval." }),
  created_at: z.int().openapi({ description: "Unix time in seconds." }),
  status: z.enum(outputItemStates).openapi({
    description: "`pass`: by all criteria; `error`: it could not be answered or graded.",
  }),
  datasource_item_id: z.int().min(0).openapi({ description: "The item's place in its source, from 0." }),
};
export const EvalOutputItem = z
  .object({
    object: z.literal("eval.run.output_item").openapi({ description: "Always `eval.run.output_item`." }),
    ...rowFields,
    ...contentFields,
  })
  .openapi("EvalOutputItem");
export type EvalOutputItem = z.infer<typeof EvalOutputItem>;

/** The row. */
export const EvalItemRecord = z.object({ ...rowFields, project_id: z.string(), content: Payload });
export type EvalItemRecord = z.infer<typeof EvalItemRecord>;
