/** What happened to a job, newest first in the API. */
import { z } from "@hono/zod-openapi";

export const JobEvent = z
  .object({
    id: z.string().openapi({ description: "`ftevent-…`" }),
    object: z.literal("fine_tuning.job.event").openapi({ description: "Always `fine_tuning.job.event`." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    level: z.enum(["info", "warn", "error"]).openapi({ description: "How much it matters." }),
    message: z.string().openapi({ description: "What happened, for people." }),
    type: z.enum(["message", "metrics"]).openapi({ description: "`metrics` carries numbers in `data`." }),
    data: z.record(z.string(), z.unknown()).nullable().openapi({
      description: "For `metrics`: step, train_loss, valid_loss, accuracy, macro_f1. For a bad line: line, code, fix.",
    }),
  })
  .openapi("FineTuningJobEvent");
export type JobEvent = z.infer<typeof JobEvent>;

export type NewEvent = Pick<JobEvent, "level" | "message"> & Partial<Pick<JobEvent, "type" | "data">>;
