/** Checkpoints of a job: what a client sees, and where the bytes are. */
import { z } from "@hono/zod-openapi";

export const CheckpointMetrics = z
  .object({
    step: z.number().optional(),
    train_loss: z.number().optional(),
    train_mean_token_accuracy: z.number().optional(),
    valid_loss: z.number().optional(),
    valid_mean_token_accuracy: z.number().optional(),
    full_valid_loss: z.number().optional(),
    full_valid_mean_token_accuracy: z.number().optional(),
  })
  .openapi("FineTuningJobCheckpointMetrics");
export type CheckpointMetrics = z.infer<typeof CheckpointMetrics>;

export const Checkpoint = z
  .object({
    id: z.string().openapi({ description: "`ftckpt_…`" }),
    object: z.literal("fine_tuning.job.checkpoint"),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    fine_tuned_model_checkpoint: z.string().openapi({ description: "The model's name with `:ckpt-step-<n>`." }),
    step_number: z.int().openapi({ description: "Optimizer steps done." }),
    fine_tuning_job_id: z.string(),
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
