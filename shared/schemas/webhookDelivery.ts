/** Deliveries: one event on its way to one endpoint, with every attempt at it. */
import { z } from "@hono/zod-openapi";
import { WebhookEvent } from "./webhookEvent.ts";

export const WebhookAttempt = z
  .object({
    attempted_at: z.int().openapi({ description: "Unix time in seconds." }),
    status_code: z.int().nullable().openapi({ description: "HTTP status of the answer; null: there was none." }),
    latency_ms: z.int().openapi({ description: "Milliseconds until the answer, or until it was given up." }),
    error: z.string().nullable().openapi({ description: "Why it does not count as delivered; null: it does." }),
  })
  .openapi("WebhookAttempt");
export type WebhookAttempt = z.infer<typeof WebhookAttempt>;

export const WebhookDelivery = z
  .object({
    id: z.string().openapi({ description: "`whd_…`" }),
    object: z.literal("webhook_endpoint.delivery").openapi({ description: "Always `webhook_endpoint.delivery`." }),
    webhook_endpoint_id: z.string().openapi({ description: "Of the endpoint." }),
    event: WebhookEvent.openapi({ description: "The body." }),
    status: z.enum(["pending", "succeeded", "failed"]).openapi({
      description: "`pending` until it was answered with a 2xx, or so often with anything else that it was given up.",
    }),
    attempts: z.array(WebhookAttempt).openapi({ description: "The last 20 attempts, oldest first." }),
    next_attempt_at: z
      .int()
      .nullable()
      .openapi({ description: "Unix time in seconds from which it is tried again; null: it is not." }),
    created_at: z.int().openapi({ description: "Unix time in seconds. Deliveries are kept for 30 days." }),
  })
  .openapi("WebhookDelivery");
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;

/** The row. */
export const WebhookDeliveryRecord = WebhookDelivery.extend({
  project_id: z.string(),
  /** Attempts since it was first, or again, asked for. */
  tries: z.int(),
  /** Milliseconds, exactly as the pointer to it has them; null: none. */
  due: z.number().nullable(),
});
export type WebhookDeliveryRecord = z.infer<typeof WebhookDeliveryRecord>;
