/** What a project may spend in a month, as OpenAI's admin API has it; and what a job is expected to cost. */
import { z } from "@hono/zod-openapi";
import { Amount } from "./usage.ts";

/** Sums stay exact below this: in billionths it is a safe integer. */
const mostCents = 500_000_000;

const currency = z.string().regex(/^[A-Za-z]{3}$/);
const threshold = z.number().min(0).max(mostCents);
const amount = "in hundredths of the currency's unit";

export const UpdateSpendLimit = z
  .strictObject({
    threshold_amount: threshold.openapi({ description: `What may be spent in a month, ${amount}.`, example: 100_000 }),
    currency: currency.openapi({ description: "That of the deployment's prices.", example: "USD" }),
    interval: z.literal("month").openapi({ description: "Always `month`: a calendar month in UTC." }),
  })
  .openapi("UpdateSpendLimit");
export type UpdateSpendLimit = z.infer<typeof UpdateSpendLimit>;

export const SpendLimit = z
  .object({
    object: z.literal("project.spend_limit").openapi({ description: "Always `project.spend_limit`." }),
    threshold_amount: z.number().openapi({ description: `What may be spent in a month, ${amount}.` }),
    currency: z.string().openapi({ description: "ISO 4217." }),
    interval: z.literal("month").openapi({ description: "Always `month`: a calendar month in UTC." }),
    enforcement: z
      .object({
        status: z
          .enum(["inactive", "enforcing"])
          .openapi({ description: "`enforcing`: nothing is left, and what costs something is refused." }),
      })
      .openapi({ description: "Whether it stands in the way now." }),
    spent_amount: z.number().openapi({ description: `Millrace's own: spent in this month, ${amount}.` }),
    reserved_amount: z
      .number()
      .openapi({ description: `Millrace's own: what queued and running jobs are still expected to cost, ${amount}.` }),
  })
  .openapi("SpendLimit");
export type SpendLimit = z.infer<typeof SpendLimit>;

export const SpendLimitDeleted = z
  .object({
    object: z.literal("project.spend_limit.deleted").openapi({ description: "Always `project.spend_limit.deleted`." }),
    deleted: z.boolean().openapi({ description: "True." }),
  })
  .openapi("SpendLimitDeleted");
export type SpendLimitDeleted = z.infer<typeof SpendLimitDeleted>;

export const SpendLimitRecord = z.object({
  nanos: z.int(),
  /** Changes with every reservation, so that no two are made by the same look. */
  turn: z.string(),
});
export type SpendLimitRecord = z.infer<typeof SpendLimitRecord>;

/** What a row that workers work on may still cost; gone when the row is at its end. */
export const Reservation = z.object({ id: z.string(), nanos: z.int().min(0) });
export type Reservation = z.infer<typeof Reservation>;

/** What was spent from the month's beginning until before `through`, Unix time in seconds. */
export const MonthSum = z.object({ through: z.int(), nanos: z.int().min(0) });
export type MonthSum = z.infer<typeof MonthSum>;

/** A finished job, as far as it tells how long the next will take. */
export const Pace = z.object({
  bytes: z.int().positive(),
  /** Passes that were asked for; absent: left to Millrace, or of no meaning. */
  epochs: z.number().positive().optional(),
  /** Learnt from, or read. */
  tokens: z.int().min(0),
  /** Written; absent: none. */
  output_tokens: z.int().min(0).optional(),
  seconds: z.number().min(0),
});
export type Pace = z.infer<typeof Pace>;

const count = (description: string) => z.int().min(0).openapi({ description });

export const BudgetQuote = z
  .object({
    price: Amount,
    tokens: count("Tokens that it is expected to read and write, repeats counted."),
    estimated_seconds: z.number().nullable().openapi({ description: "At work; null: unknown, and not charged." }),
    spend_limit: Amount,
    spent: Amount,
    reserved: Amount,
  })
  .openapi("BudgetQuote", {
    description:
      "Millrace's own, with `insufficient_quota`: why a project's month has no room for some work. Its `price` is more than `spend_limit` less what is `spent` and what is `reserved` for jobs that wait or run.",
  });
export type BudgetQuote = z.infer<typeof BudgetQuote>;

const QuoteError = z
  .object({
    param: z.string().openapi({ description: "The file at fault: `training_file` or `validation_file`." }),
    line: z.int().nullable().openapi({ description: "Line of the file, 1 for the first; null: the whole of it." }),
    code: z.string().openapi({ description: "Machine-readable cause." }),
    message: z.string().openapi({ description: "What is wrong." }),
    fix: z.string().openapi({ description: "How to mend it." }),
  })
  .openapi("JobQuoteError");

export const JobQuote = z
  .object({
    object: z.literal("fine_tuning.job.quote").openapi({ description: "Always `fine_tuning.job.quote`." }),
    model: z.string().openapi({ description: "The base model, as it was named." }),
    training_file: z.string().openapi({ description: "Id of the file, as it was named." }),
    valid: z.boolean().openapi({ description: "Whether the job would begin to learn: its files have no errors." }),
    errors: z.array(QuoteError).openapi({ description: "The first 50 errors of each file, by line." }),
    error_count: count("All errors."),
    warning_count: count("Findings that keep no job from learning, such as rows that occur twice."),
    training_rows: count("Rows to learn from."),
    validation_rows: count("Rows to judge by."),
    trained_tokens: count("Tokens to learn from, repeats counted: an estimate."),
    estimated_seconds: z.number().openapi({ description: "At work, as the receipt will say." }),
    price: Amount,
    measured_jobs: count(
      "Finished jobs of this deployment, of the same base and method, that the estimate goes by; 0: by what was measured when Millrace was made.",
    ),
    queue_position: z.int().openapi({ description: "How many would begin before it, and one." }),
    estimated_start: z.int().openapi({ description: "Unix time in seconds." }),
    within_spend_limit: z
      .boolean()
      .nullable()
      .openapi({ description: "Whether the month's limit has room for it; null: the project has none." }),
  })
  .openapi("FineTuningJobQuote", { description: "What a job would find and cost; nothing was made." });
export type JobQuote = z.infer<typeof JobQuote>;
