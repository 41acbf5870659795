/** What travels through the queue: ids only. The row is the truth, so a message delivered twice is harmless. */
import { z } from "zod";

export const Message = z.object({
  kind: z.enum([
    "fine_tuning_job",
    "batch",
    "answer",
    "dataset_version",
    "eval_run",
    "label_queue",
    "label_doctor",
    "experiment",
    "policy",
    "promotion",
    "webhook_event",
    "webhook_endpoint",
  ]),
  project_id: z.string(),
  id: z.string(),
});

export type Message = z.infer<typeof Message>;
export type MessageKind = Message["kind"];
