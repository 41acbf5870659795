/** What was used: one record for each inference, part of a batch, or range of training steps; and how it is asked for. */
import { z } from "@hono/zod-openapi";

export const usageKinds = ["completions", "embeddings", "moderations", "decisions", "tensors", "fine_tuning"] as const;
export const UsageKind = z.enum(usageKinds);
export type UsageKind = z.infer<typeof UsageKind>;

const count = z.int().min(0);

export const Quantities = z.object({
  requests: count,
  input_tokens: count,
  output_tokens: count,
  /** Of a worker at its learning; 0 of inferences, which are not charged by time. */
  milliseconds: count,
});
export type Quantities = z.infer<typeof Quantities>;

export const UsageRecord = Quantities.extend({
  /** Of the work: whatever is written twice under it counts once. */
  id: z.string(),
  kind: UsageKind,
  model: z.string(),
  /** Null where the work was asked for in a batch or a job. */
  api_key_id: z.string().nullable(),
  is_batch: z.boolean(),
  /** In billionths of the currency's unit, by the price at the time. */
  nanos: count,
  /** Unix time in seconds. */
  created_at: z.int(),
});
export type UsageRecord = z.infer<typeof UsageRecord>;

export const bucketWidths = { "1m": 60, "1h": 3600, "1d": 86_400 } as const;
export type BucketWidth = keyof typeof bucketWidths;
/** Usual and most buckets on a page, as OpenAI has them. */
export const bucketLimits = { "1m": [60, 1440], "1h": [24, 168], "1d": [7, 31] } as const;

const named = (description: string) => z.string().nullable().openapi({ description });
const groupFields = {
  project_id: named("Set when grouped by it."),
  user_id: named("Always null: usage is known by key."),
  api_key_id: named("Set when grouped by it; null also for batches and jobs."),
};

export const UsageResult = z
  .object({
    object: z.string().openapi({ description: "`organization.usage.<kind>.result`." }),
    num_model_requests: z.int().openapi({ description: "Calls, or lines of batches." }),
    input_tokens: z.int().openapi({ description: "Tokens read; of fine-tuning, tokens learnt from." }),
    output_tokens: z.int().openapi({ description: "Tokens written." }),
    ...groupFields,
    model: named("Set when grouped by it."),
    batch: z.boolean().nullable().openapi({ description: "Set when grouped by it." }),
    service_tier: named("Always null: there is one tier."),
  })
  .openapi("UsageResult");
export type UsageResult = z.infer<typeof UsageResult>;

export const Amount = z
  .object({
    value: z.number().openapi({ description: "In the currency's unit." }),
    currency: z.string().openapi({ description: "Lower-case ISO 4217." }),
  })
  .openapi("Amount", { description: "An amount of money." });
export type Amount = z.infer<typeof Amount>;

export const CostResult = z
  .object({
    object: z.literal("organization.costs.result").openapi({ description: "Always `organization.costs.result`." }),
    amount: Amount,
    line_item: named("`<model>, <kind>`, set when grouped by it."),
    quantity: z.number().nullable().openapi({ description: "Of a line item: its tokens, or its requests." }),
    quantity_unit: named("`tokens` or `requests`; null where there is no quantity."),
    ...groupFields,
  })
  .openapi("CostResult");
export type CostResult = z.infer<typeof CostResult>;

const pageOf = <Result extends z.ZodType>(result: Result, name: string) =>
  z
    .object({
      object: z.literal("page").openapi({ description: "Always `page`." }),
      data: z
        .array(
          z.object({
            object: z.literal("bucket").openapi({ description: "Always `bucket`." }),
            start_time: z.int().openapi({ description: "Unix time in seconds, inclusive." }),
            end_time: z.int().openapi({ description: "Unix time in seconds, exclusive." }),
            results: z.array(result).openapi({ description: "One for each group; none where nothing was used." }),
          }),
        )
        .openapi({ description: "Spans of time, oldest first." }),
      has_more: z.boolean().openapi({ description: "Whether there are buckets behind these." }),
      next_page: named("To be sent as `page`; null: this is the last one."),
    })
    .openapi(name);
export const UsagePage = pageOf(UsageResult, "UsagePage");
export const CostPage = pageOf(CostResult, "CostPage");
export interface BucketPage<Result> {
  object: "page";
  data: { object: "bucket"; start_time: number; end_time: number; results: Result[] }[];
  has_more: boolean;
  next_page: string | null;
}

export const Receipt = z
  .object({
    seconds: z.number().openapi({ description: "At work, as far as it led to a checkpoint or the model." }),
    device: z.string().openapi({ description: "What it learnt on: `cpu`, `cuda` or `webgpu`." }),
    tokens: z.int().openapi({ description: "Learnt from, repeats counted, each step once." }),
    price: Amount,
  })
  .openapi("Receipt", { description: "What a job was charged so far." });
export type Receipt = z.infer<typeof Receipt>;
