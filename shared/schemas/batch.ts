/** Batches, field for field as OpenAI's, plus the row a worker needs. */
import { z } from "@hono/zod-openapi";
import { batchStates } from "../batchStates.ts";
import { batchPaths } from "../inference/endpoints.ts";
import { Lease } from "./lease.ts";
import { Metadata } from "./metadata.ts";
import { Receipt } from "./usage.ts";

export const batchLimits = { requests: 50_000, bytes: 200 * 1024 * 1024 } as const;

export const CreateBatch = z
  .strictObject({
    input_file_id: z.string().min(1).openapi({
      description: "Id of a JSONL file uploaded with purpose `batch`: at most 50,000 requests and 200 MiB.",
    }),
    endpoint: z.enum(batchPaths).openapi({ description: "What every request of the file asks for." }),
    completion_window: z.literal("24h").openapi({ description: "Always `24h`: what has not run by then expires." }),
    metadata: Metadata.nullish().openapi({ description: "Labels of your own; null: none." }),
    output_expires_after: z
      .strictObject({
        anchor: z.literal("created_at").openapi({ description: "What seconds count from: the file's creation." }),
        seconds: z.int().min(3600).max(2592000).openapi({ description: "One hour to thirty days." }),
      })
      .nullish()
      .openapi({ description: "When output and error file are deleted; null: never." }),
  })
  .openapi("CreateBatch");
export type CreateBatch = z.infer<typeof CreateBatch>;

const BatchError = z
  .object({
    code: z.string().openapi({ description: "Machine-readable cause." }),
    message: z.string().openapi({ description: "What is wrong, for people." }),
    param: z.string().nullable().openapi({ description: "The field at fault, such as `body.model`; or null." }),
    line: z.int().nullable().openapi({ description: "Line of the input file, 1 for the first; or null." }),
  })
  .openapi("BatchError");
export type BatchError = z.infer<typeof BatchError>;

const count = (description: string) => z.int().min(0).openapi({ description });
const time = (description: string) =>
  z
    .int()
    .nullable()
    .openapi({ description: `Unix time ${description}; or null.` });
const fileId = (description: string) =>
  z
    .string()
    .nullable()
    .openapi({ description: `${description}; or null.` });

const RequestCounts = z.object({
  total: count("Requests in the input file; 0 before it is read."),
  completed: count("Requests answered."),
  failed: count("Requests refused, or not run in time."),
});

const BatchUsage = z.object({
  input_tokens: count("Tokens read."),
  input_tokens_details: z.object({ cached_tokens: count("Always 0.") }).openapi({ description: "Nothing is cached." }),
  output_tokens: count("Tokens generated."),
  output_tokens_details: z
    .object({ reasoning_tokens: count("Always 0.") })
    .openapi({ description: "None are told apart." }),
  total_tokens: count("Sum of both."),
});

export const Batch = z
  .object({
    id: z.string().openapi({ description: "`batch_…`" }),
    object: z.literal("batch").openapi({ description: "Always `batch`." }),
    endpoint: z.string().openapi({ description: "What its requests ask for." }),
    model: z.string().nullable().openapi({ description: "The model all requests name; null: they name several." }),
    errors: z
      .object({
        object: z.literal("list").openapi({ description: "Always `list`." }),
        data: z.array(BatchError).openapi({ description: "The first 100 errors, by line." }),
      })
      .nullable()
      .openapi({ description: "Why the batch failed; null otherwise." }),
    input_file_id: z.string().openapi({ description: "The requests." }),
    completion_window: z.string().openapi({ description: "Always `24h`." }),
    status: z.enum(batchStates).openapi({ description: "Where it stands." }),
    output_file_id: fileId("File of purpose `batch_output` with the answers, in the order of the requests"),
    error_file_id: fileId("File of purpose `batch_output` with what was refused"),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    in_progress_at: time("at which the file was found good"),
    expires_at: time("after which nothing further is run"),
    finalizing_at: time("at which the last request was done"),
    completed_at: time("of completion"),
    failed_at: time("of failure"),
    expired_at: time("of the end of a batch that ran out of time"),
    cancelling_at: time("at which it was told to end"),
    cancelled_at: time("at which it had ended"),
    request_counts: RequestCounts.openapi({ description: "How far it is." }),
    usage: BatchUsage.openapi({ description: "Tokens of all answers so far." }),
    metadata: Metadata.nullable().openapi({ description: "As given; null: none." }),
    receipt: Receipt.nullable().default(null).openapi({ description: "What it was charged so far; null: nothing." }),
  })
  .openapi("Batch");
export type Batch = z.infer<typeof Batch>;

/** Consecutive lines whose results are stored: what has a part is done for good. */
export const BatchPart = z.object({
  /** Number of its first line, which with the attempt names its objects. */
  first: z.int().min(1),
  attempt: z.string(),
  completed: z.int(),
  failed: z.int(),
});
export type BatchPart = z.infer<typeof BatchPart>;

/** The row: the batch and what the workers know of it. */
export const BatchRecord = Batch.extend({
  project_id: z.string(),
  lease: Lease.nullable(),
  /** Attempts in a row that ended badly without getting any further. */
  failures: z.int().min(0),
  /** Of the input file; absent: not known. */
  input_bytes: z.int().optional(),
  /** What was reserved of the month's limit for it; absent: the project had none. */
  reserved_nanos: z.int().optional(),
  /** Seconds that the files it makes live; null: for ever. */
  output_seconds: z.int().nullable(),
  /** In order, without a gap. */
  parts: z.array(BatchPart),
  /** Number of the first line that no part holds. */
  next_line: z.int().min(1),
  /** Whether requests were left out because the time was over. */
  is_late: z.boolean(),
  /** What its files will be called, so that every attempt to join the parts writes the same objects. */
  file_ids: z.object({ output: z.string(), errors: z.string() }),
});
export type BatchRecord = z.infer<typeof BatchRecord>;
