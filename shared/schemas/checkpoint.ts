/** Checkpoints of a job: what a client sees, and where the bytes are. */
import { z } from "@hono/zod-openapi";

export const CheckpointMetrics = z
  .object({
    step: z.number().optional().openapi({ description: "Optimizer steps done when measured." }),
    train_loss: z
      .number()
      .optional()
      .openapi({ description: "Mean loss on the training rows since the last measurement." }),
    train_mean_token_accuracy: z
      .number()
      .optional()
      .openapi({ description: "Share of training rows answered right, 0 to 1." }),
    valid_loss: z.number().optional().openapi({ description: "Loss on a part of the validation rows." }),
    valid_mean_token_accuracy: z
      .number()
      .optional()
      .openapi({ description: "Share of that part answered right, 0 to 1." }),
    full_valid_loss: z.number().optional().openapi({ description: "Loss on all validation rows." }),
    full_valid_mean_token_accuracy: z
      .number()
      .optional()
      .openapi({ description: "Share of all validation rows answered right, 0 to 1." }),
  })
  .openapi("FineTuningJobCheckpointMetrics", {
    description: "Measured at a step; what was not measured is absent.",
  });
export type CheckpointMetrics = z.infer<typeof CheckpointMetrics>;

export const Checkpoint = z
  .object({
    id: z.string().openapi({ description: "`ftckpt_…`" }),
    object: z.literal("fine_tuning.job.checkpoint").openapi({ description: "Always `fine_tuning.job.checkpoint`." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    fine_tuned_model_checkpoint: z.string().openapi({ description: "The model's name with `:ckpt-step-<n>`." }),
    step_number: z.int().openapi({ description: "Optimizer steps done." }),
    fine_tuning_job_id: z.string().openapi({ description: "The job that made it." }),
    metrics: CheckpointMetrics,
  })
  .openapi("FineTuningJobCheckpoint");
export type Checkpoint = z.infer<typeof Checkpoint>;

export const CheckpointRecord = Checkpoint.extend({
  project_id: z.string(),
  object_key: z.string(),
  digest: z.string(),
});
export type CheckpointRecord = z.infer<typeof CheckpointRecord>;
