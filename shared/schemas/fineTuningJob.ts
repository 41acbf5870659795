/** Fine-tuning jobs, field for field as OpenAI's, plus the row a worker needs. */
import { z } from "@hono/zod-openapi";
import { jobStates } from "../jobStates.ts";
import { BaseContent } from "./baseContent.ts";
import { Lease } from "./lease.ts";
import { Metadata } from "./metadata.ts";
import { Receipt } from "./usage.ts";

const autoOr = <Number extends z.ZodNumber>(number: Number) => z.union([z.literal("auto"), number]);

/** Each is `"auto"` (chosen from the number of rows and labels) or a number. */
export const Hyperparameters = z
  .strictObject({
    n_epochs: autoOr(z.int().min(1).max(50))
      .optional()
      .openapi({ description: "Passes over the training rows, 1 to 50." }),
    batch_size: autoOr(z.int().min(1).max(256))
      .optional()
      .openapi({ description: "Rows per optimizer step, 1 to 256." }),
    learning_rate_multiplier: autoOr(z.number().positive().max(100))
      .optional()
      .openapi({ description: "Factor on the base model's own learning rate." }),
  })
  .openapi("Hyperparameters", {
    description: "Settings of the tuning; what is `auto` or absent is chosen from the data, and shown once chosen.",
  });
export type Hyperparameters = z.infer<typeof Hyperparameters>;

const Supervised = z.strictObject({
  type: z.literal("supervised").openapi({ description: "Learns from texts, or rows of a table, and their labels." }),
  supervised: z
    .strictObject({ hyperparameters: Hyperparameters.optional() })
    .optional()
    .openapi({ description: "Settings of supervised tuning; absent: all `auto`." }),
});

const Pretrain = z.strictObject({
  type: z.literal("pretrain").openapi({
    description: "Millrace's own: an imported base goes on learning from texts alone, and becomes a base of yours.",
  }),
  pretrain: z
    .strictObject({
      hyperparameters: Hyperparameters.optional(),
      objective: z
        .enum(["auto", "masked", "causal"])
        .optional()
        .openapi({ description: "Hidden tokens or next ones; `auto`: next ones for a base that writes." }),
      contrastive: z
        .boolean()
        .optional()
        .openapi({ description: "Whether a stage follows that brings texts near which belong together; default: no." }),
    })
    .optional()
    .openapi({ description: "Settings of pre-training; absent: all `auto`." }),
});

const Distill = z.strictObject({
  type: z.literal("distill").openapi({ description: "Millrace's own: learns what a teacher says of texts." }),
  distill: z
    .strictObject({
      teacher: z
        .string()
        .min(1)
        .max(512)
        .openapi({ description: "A fine-tuned model of yours, which labels the texts." }),
      hyperparameters: Hyperparameters.optional(),
    })
    .openapi({ description: "Settings of distillation." }),
});

export const Method = z
  .discriminatedUnion("type", [Supervised, Pretrain, Distill])
  .openapi("Method", { description: "How the model is tuned." });
export type Method = z.infer<typeof Method>;

export type PretrainSettings = z.infer<typeof Pretrain>["pretrain"];
export type DistillSettings = z.infer<typeof Distill>["distill"];

/** As they were asked for. */
export function hyperparametersOf(method: Method): Hyperparameters | undefined {
  if (method.type === "supervised") return method.supervised?.hyperparameters;
  return method.type === "pretrain" ? method.pretrain?.hyperparameters : method.distill.hyperparameters;
}

export const CreateFineTuningJob = z
  .strictObject({
    model: z.string().min(1).openapi({
      description: "A base model of `GET /v1/models`, or one of yours that was pre-trained further.",
      example: "millrace-ngram",
    }),
    training_file: z.string().min(1).openapi({
      description:
        "Id of a dataset version, or of a file uploaded with purpose `fine-tune`: of texts with labels, or for `millrace-tabular` of rows (`input`, a value by column) with labels; to pre-train or distill, of texts alone.",
    }),
    validation_file: z
      .string()
      .min(1)
      .nullish()
      .openapi({ description: "Id of a file to validate on; null: a stratified, seeded part of the training file." }),
    suffix: z
      .string()
      .max(64)
      .regex(/^[\p{L}\p{N}_. -]*$/u, "letters, digits, space, dot, dash and underscore only")
      .nullish()
      .openapi({ description: "Up to 64 characters that become part of the model's name." }),
    seed: z.int().min(0).max(2147483647).nullish().openapi({ description: "Same seed, same files: the same model." }),
    method: Method.nullish().openapi({ description: "How to tune; null: supervised, all `auto`." }),
    hyperparameters: Hyperparameters.nullish().openapi({
      description: "Deprecated by OpenAI in favour of `method`; honoured.",
    }),
    metadata: Metadata.nullish().openapi({ description: "Labels of your own, to list jobs by; null: none." }),
    validate_only: z.boolean().nullish().openapi({
      description:
        "Millrace's own: `true` looks at the files as the job would, and answers what it would find, take and cost. Nothing is made.",
    }),
    integrations: z
      .array(z.unknown())
      .max(0)
      .nullish()
      .openapi({ description: "None are supported; must be empty or null." }),
  })
  .openapi("CreateFineTuningJob");
export type CreateFineTuningJob = z.infer<typeof CreateFineTuningJob>;

export const JobError = z
  .object({
    code: z.string().openapi({ description: "Machine-readable cause." }),
    message: z.string().openapi({ description: "What went wrong and how to mend it." }),
    param: z.string().nullable().openapi({ description: "The field at fault, or null." }),
  })
  .openapi("FineTuningJobError");
export type JobError = z.infer<typeof JobError>;

export const FineTuningJob = z
  .object({
    id: z.string().openapi({ description: "`ftjob-…`" }),
    object: z.literal("fine_tuning.job").openapi({ description: "Always `fine_tuning.job`." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    finished_at: z.int().nullable().openapi({ description: "Unix time of the final state; null before." }),
    estimated_finish: z
      .int()
      .nullable()
      .openapi({ description: "Unix time, from the pace so far; null when unknown." }),
    status: z.enum(jobStates).openapi({ description: "`succeeded`, `failed` and `cancelled` are final." }),
    model: z.string().openapi({ description: "The base model." }),
    fine_tuned_model: z.string().nullable().openapi({ description: "Name to call; null until `succeeded`." }),
    organization_id: z.string().openapi({ description: "The organization that asked for it." }),
    training_file: z.string().openapi({ description: "Id of the file it learns from." }),
    validation_file: z
      .string()
      .nullable()
      .openapi({ description: "Id of the file it is measured on; null: a part of the training file." }),
    result_files: z
      .array(z.string())
      .openapi({ description: "Files of purpose `fine-tune-results`: the metrics as CSV." }),
    seed: z.int().openapi({ description: "As asked for, or drawn at random." }),
    trained_tokens: z
      .int()
      .nullable()
      .openapi({ description: "Tokens seen in training, repeats counted; null before." }),
    hyperparameters: Hyperparameters,
    method: Method,
    metadata: Metadata.nullable().openapi({ description: "As given; null: none." }),
    integrations: z.array(z.unknown()).max(0).nullable().openapi({ description: "Always null: none are supported." }),
    error: JobError.nullable().openapi({ description: "Why the job failed; null otherwise." }),
    queue_position: z.int().nullable().default(null).openapi({
      description: "Millrace's own: 1 for the next that a worker takes up; null: it does not wait.",
    }),
    estimated_start: z.int().nullable().default(null).openapi({
      description:
        "Millrace's own: Unix time, by how long what is before it is expected to take; null: it does not wait.",
    }),
    receipt: Receipt.nullable().default(null).openapi({ description: "What it was charged so far; null: nothing." }),
  })
  .openapi("FineTuningJob");
export type FineTuningJob = z.infer<typeof FineTuningJob>;

/** Where a job stands that waits for a worker. */
export type Place = Pick<FineTuningJob, "queue_position" | "estimated_start">;

/** The row: the job and what the workers know of it. */
export const JobRecord = FineTuningJob.omit({ queue_position: true, estimated_start: true }).extend({
  project_id: z.string(),
  suffix: z.string().nullable(),
  /** Of the training file as it was uploaded; absent: not known. */
  material_bytes: z.int().optional(),
  /** What was reserved of the month's limit for it; absent: the project had none. */
  reserved_nanos: z.int().optional(),
  lease: Lease.nullable(),
  /** Attempts that ended badly: an error, or a worker that fell silent. */
  failures: z.int().min(0),
  /** Whether the files were found good; a resumed job is not checked twice. */
  validated: z.boolean(),
  /** The imported base, as it was when the job began; absent before, and where the base comes with Millrace. */
  base: BaseContent.optional(),
  /** Of a distillation: the texts with the labels that the teacher gave them. Absent before it has. */
  labelled: z.object({ object_key: z.string(), digest: z.string() }).optional(),
  /** Where the next attempt continues; null: from the start. */
  latest_checkpoint: z.object({ object_key: z.string(), digest: z.string(), step: z.int() }).nullable(),
});
export type JobRecord = z.infer<typeof JobRecord>;
