/** Events: what a project's endpoints are told, in the names and the form of OpenAI's webhooks. */
import { z } from "@hono/zod-openapi";

export const webhookEventTypes = [
  "batch.cancelled",
  "batch.completed",
  "batch.expired",
  "batch.failed",
  "eval.run.canceled",
  "eval.run.failed",
  "eval.run.succeeded",
  "fine_tuning.job.cancelled",
  "fine_tuning.job.failed",
  "fine_tuning.job.succeeded",
  "millrace.dataset_version.failed",
  "millrace.dataset_version.ready",
  "millrace.promotion.held",
  "millrace.promotion.promoted",
  "millrace.promotion.rejected",
  "millrace.promotion.rolled_back",
] as const;

export const WebhookEventType = z.enum(webhookEventTypes);
export type WebhookEventType = z.infer<typeof WebhookEventType>;

/** The body of a delivery, byte for byte, whichever endpoint and however often. */
export const WebhookEvent = z
  .object({
    id: z.string().openapi({ description: "`evt_…`, the same at every attempt and every endpoint." }),
    object: z.literal("event").openapi({ description: "Always `event`." }),
    created_at: z.int().openapi({ description: "Unix time in seconds at which it happened." }),
    type: WebhookEventType.openapi({
      description: "What happened: OpenAI's names where it has one, else `millrace.…`.",
    }),
    data: z
      .object({ id: z.string().openapi({ description: "Of the job, batch, run, version or promotion." }) })
      .openapi({ description: "What it happened to; ask the API for the rest." }),
  })
  .openapi("WebhookEvent");
export type WebhookEvent = z.infer<typeof WebhookEvent>;

export const WebhookEventRecord = WebhookEvent.extend({ project_id: z.string() });
export type WebhookEventRecord = z.infer<typeof WebhookEventRecord>;

export const WebhookEventTypeList = z
  .object({
    object: z.literal("list").openapi({ description: "Always `list`." }),
    data: z.array(WebhookEventType).openapi({ description: "All there are." }),
  })
  .openapi("WebhookEventTypeList");
