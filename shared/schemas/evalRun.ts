/** Runs of evals, field for field as OpenAI's, plus the row a worker needs. */
import { z } from "@hono/zod-openapi";
import { evalRunStates, toldStates } from "../evalRunStates.ts";
import { EvalMessage } from "./evalGrader.ts";
import { Lease } from "./lease.ts";
import { Metadata } from "./metadata.ts";
import { Payload } from "./payload.ts";
import { ResponseFormat, TextFormat } from "./responseFormat.ts";
import { optional, samplingFields } from "./textSettings.ts";
import { Receipt } from "./usage.ts";

/** Items of one run. */
export const mostEvalItems = 50_000;

const anything = z.record(z.string(), z.unknown());
const time = (description: string) => optional(z.int().min(0), description);
const ignored = "Accepted and ignored.";

export const EvalContent = z.strictObject({
  item: anything.openapi({ description: "What `{{item.…}}` reads." }),
  sample: anything.optional().openapi({ description: "What `{{sample.…}}` reads, where no model is asked." }),
});
export type EvalContent = z.infer<typeof EvalContent>;

const FileContent = z.strictObject({
  type: z.literal("file_content").openapi({ description: "Items in the request." }),
  content: z.array(EvalContent).min(1).openapi({ description: "In order." }),
});
const FileId = z.strictObject({
  type: z.literal("file_id").openapi({ description: "Items of a file." }),
  id: z
    .string()
    .min(1)
    .openapi({ description: 'Id of a JSONL file of purpose `evals`, a line `{"item": {…}, "sample": {…}}` each.' }),
});
const recorded = {
  model: optional(z.string().min(1).max(512), "Of this model alone."),
  created_after: time("Unix time in seconds; from it on."),
  created_before: time("Unix time in seconds; before it."),
  metadata: Metadata.nullish().openapi({ description: "Only what has these labels." }),
};
const StoredCompletions = z.strictObject({
  type: z.literal("stored_completions").openapi({ description: "Stored chat completions." }),
  ...recorded,
  limit: optional(z.int().min(1).max(mostEvalItems), "The most of them, newest first."),
});
const none = (why: string) =>
  z
    .null()
    .optional()
    .openapi({ description: `Only null: ${why}.`, example: null });
const unfiltered = "responses are not searched by it";
const RecordedResponses = z.strictObject({
  type: z.literal("responses").openapi({ description: "Responses that were recorded with their texts." }),
  ...recorded,
  instructions_search: none(unfiltered),
  reasoning_effort: none(unfiltered),
  temperature: none(unfiltered),
  top_p: none(unfiltered),
  tools: none(unfiltered),
  users: none(unfiltered),
});

const InputMessages = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("template").openapi({ description: "Messages with variables." }),
    template: z.array(EvalMessage).min(1).openapi({ description: "What the model is asked." }),
  }),
  z.strictObject({
    type: z.literal("item_reference").openapi({ description: "Messages of the item." }),
    item_reference: z
      .string()
      .regex(/^item(\.\w+|\[\d+\])+$/, "not a path such as item.input")
      .openapi({ description: "Where they are.", example: "item.input" }),
  }),
]);
const tools = optional(z.array(anything).max(0), "Only an empty list: no model here calls tools.");
const samplingParams = {
  max_completion_tokens: z.int().min(1).optional().openapi({ description: "The most tokens of an answer." }),
  ...samplingFields,
  seed: optional(z.int(), "The same seed gives the same answers."),
  reasoning_effort: optional(z.string(), ignored),
  tools,
};
const asking = {
  model: z.string().min(1).max(512).optional().openapi({
    description: "Who is asked: a fine-tuned model, whose label is the output; one that writes; or `alias:…`.",
  }),
  input_messages: InputMessages.optional().openapi({ description: "What it is asked." }),
};
const isAsked = ({ model, input_messages }: { model?: unknown; input_messages?: unknown }) =>
  (model === undefined) === (input_messages === undefined);
const together = { path: ["input_messages"], message: "goes with 'model', and 'model' with it" };

export const EvalDataSource = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("jsonl").openapi({ description: "Items, with or without samples; no model is asked." }),
    source: z.discriminatedUnion("type", [FileContent, FileId]).openapi({ description: "Where they are." }),
  }),
  z
    .strictObject({
      type: z.literal("completions").openapi({ description: "A model is asked about each item." }),
      source: z
        .discriminatedUnion("type", [FileContent, FileId, StoredCompletions])
        .openapi({ description: "Where items are. Stored completions are samples, too, where no model is named." }),
      ...asking,
      sampling_params: z
        .strictObject({
          ...samplingParams,
          response_format: ResponseFormat.optional().openapi({ description: "What form answers are held to." }),
        })
        .optional()
        .openapi({ description: "How answers are written; of no effect on labels." }),
    })
    .refine(isAsked, together),
  z
    .strictObject({
      type: z.literal("responses").openapi({ description: "The same, by the fields of responses." }),
      source: z
        .discriminatedUnion("type", [FileContent, FileId, RecordedResponses])
        .openapi({ description: "Where items are." }),
      ...asking,
      sampling_params: z
        .strictObject({
          ...samplingParams,
          text: z
            .strictObject({ format: TextFormat.optional().openapi({ description: "What form answers are held to." }) })
            .optional()
            .openapi({ description: "The form of answers." }),
        })
        .optional()
        .openapi({ description: "How answers are written; of no effect on labels." }),
    })
    .refine(isAsked, together),
]);
export type EvalDataSource = z.infer<typeof EvalDataSource>;

export const CreateEvalRun = z
  .strictObject({
    name: z.string().min(1).max(512).optional().openapi({ description: "What it is called. Default: its id." }),
    data_source: EvalDataSource.openapi({ description: "What is graded." }),
    metadata: Metadata.nullish().openapi({ description: "Labels of your own; null: none." }),
  })
  .openapi("CreateEvalRun");
export type CreateEvalRun = z.infer<typeof CreateEvalRun>;

const count = (description: string) => z.int().min(0).openapi({ description });

const ResultCounts = z.object({
  total: count("Items done."),
  passed: count("Which passed by all criteria."),
  failed: count("Which did not."),
  errored: count("Which could not be answered or graded."),
});
const ModelUsage = z.object({
  model_name: z.string().openapi({ description: "A model that was asked, as an answer or as a grader." }),
  invocation_count: count("How often."),
  prompt_tokens: count("Tokens read."),
  completion_tokens: count("Tokens written."),
  total_tokens: count("Sum of both."),
  cached_tokens: count("Always 0."),
});
export type ModelUsage = z.infer<typeof ModelUsage>;
const CriterionResult = z.object({
  testing_criteria: z.string().openapi({ description: "The criterion's name." }),
  passed: count("Items that passed by it."),
  failed: count("Items that did not."),
  errored: count("Millrace's own: items that it could not grade."),
});

export const EvalRun = z
  .object({
    id: z.string().openapi({ description: "`evalrun_…`" }),
    object: z.literal("eval.run").openapi({ description: "Always `eval.run`." }),
    eval_id: z.string().openapi({ description: "Of which eval." }),
    name: z.string().openapi({ description: "As given; else its id." }),
    status: z.enum(toldStates).openapi({ description: "`completed`, `canceled` and `failed` are final." }),
    model: z.string().nullable().openapi({ description: "Who is asked; null: nobody." }),
    data_source: EvalDataSource.openapi({ description: "As given." }),
    result_counts: ResultCounts.openapi({ description: "How far it is." }),
    per_model_usage: z.array(ModelUsage).openapi({ description: "What models read and wrote so far." }),
    per_testing_criteria_results: z.array(CriterionResult).openapi({ description: "In the order of the criteria." }),
    report_url: z.string().nullable().openapi({ description: "Always null: there is no page for it." }),
    receipt: Receipt.nullable().default(null).openapi({ description: "What it was charged so far; null: nothing." }),
    error: z
      .object({
        code: z.string().openapi({ description: "Machine-readable cause." }),
        message: z.string().openapi({ description: "What went wrong and how to mend it." }),
      })
      .nullable()
      .openapi({ description: "Why it failed; null otherwise." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    metadata: Metadata.nullable().openapi({ description: "As given; null: none." }),
  })
  .openapi("EvalRun");
export type EvalRun = z.infer<typeof EvalRun>;

/** The row, and what the workers know of it. */
export const EvalRunRecord = EvalRun.omit({ data_source: true }).extend({
  status: z.enum(evalRunStates),
  project_id: z.string(),
  data_source: Payload,
  lease: Lease.nullable(),
  failures: z.int().min(0),
  /** Of the items as JSONL, gathered before the first is run; null before. */
  items_key: z.string().nullable(),
  /** What was reserved of the month's limit for it; absent: the project had none. */
  reserved_nanos: z.int().optional(),
  /** Place of the first item, from 0, that has no output yet. */
  next_item: z.int().min(0),
});
export type EvalRunRecord = z.infer<typeof EvalRunRecord>;

export const DeletedEvalRun = z
  .object({
    object: z.literal("eval.run.deleted").openapi({ description: "Always `eval.run.deleted`." }),
    deleted: z.literal(true).openapi({ description: "Always true: it is gone, with its output items." }),
    run_id: z.string().openapi({ description: "The id it had." }),
  })
  .openapi("DeletedEvalRun");
