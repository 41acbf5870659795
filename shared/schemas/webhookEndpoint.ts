/** Webhook endpoints: where a project wants to be told of what events, and by what secrets the telling is signed. */
import { z } from "@hono/zod-openapi";
import { Lease } from "./lease.ts";
import { WebhookEventType, webhookEventTypes } from "./webhookEvent.ts";

/** Of a project: their deliveries are made in one write with an event's own. */
export const mostEndpoints = 20;

const name = z.string().min(1).max(100).openapi({ description: "For people, 1 to 100 characters." });
const url = z.string().min(1).max(2048).openapi({
  description:
    "`https://…`, on port 443 or 8443, at an address of the public internet; without credentials. Redirects are not followed.",
  example: "https://example.com/webhooks",
});
const eventTypes = z
  .array(WebhookEventType)
  .min(1)
  .max(webhookEventTypes.length)
  .openapi({ description: "The events to tell, by `type`; `GET /v1/webhook_event_types` lists them." });

export const endpointStatuses = ["enabled", "disabled"] as const;

export const WebhookEndpoint = z
  .object({
    id: z.string().openapi({ description: "`whe_…`" }),
    object: z.literal("webhook_endpoint").openapi({ description: "Always `webhook_endpoint`." }),
    name: z.string().openapi({ description: "For people." }),
    url: z.string().openapi({ description: "Where deliveries go." }),
    event_types: z.array(WebhookEventType).openapi({ description: "The events that it is told of." }),
    status: z.enum(endpointStatuses).openapi({
      description: "Millrace's own: a disabled one is told nothing; what was under way waits until it is enabled.",
    }),
    disabled_reason: z.enum(["by_request", "gone", "failing"]).nullable().openapi({
      description:
        "Millrace's own: you asked for it, it answered 410, or it took nothing for five days; null: it is enabled.",
    }),
    failing_since: z
      .int()
      .nullable()
      .openapi({ description: "Millrace's own: Unix time in seconds since which it took nothing; null: it is well." }),
    signing_secret_hint: z.string().nullable().openapi({ description: "The end of its secret, to tell it by." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    updated_at: z.int().openapi({ description: "Unix time in seconds at which settings or secret changed." }),
  })
  .openapi("WebhookEndpoint");
export type WebhookEndpoint = z.infer<typeof WebhookEndpoint>;

export const WebhookEndpointWithSecret = WebhookEndpoint.extend({
  signing_secret: z.string().openapi({
    description: "`whsec_…`, for `openai.webhooks.unwrap`. Told this once: not even an operator can read it again.",
  }),
}).openapi("WebhookEndpointWithSecret");
export type WebhookEndpointWithSecret = z.infer<typeof WebhookEndpointWithSecret>;

const SealedSecret = z.object({
  /** As the sealer made it. */
  sealed: z.string(),
  /** Unix time in seconds until which it signs, too; null: the one of now. */
  expires_at: z.int().nullable(),
  /** The request that made it, where that may come again. */
  made_by: z.string().optional(),
});
export type SealedSecret = z.infer<typeof SealedSecret>;

/** The row. */
export const WebhookEndpointRecord = WebhookEndpoint.extend({
  project_id: z.string(),
  /** The one of now first. */
  secrets: z.array(SealedSecret),
  /** Of the worker that delivers to it. */
  lease: Lease.nullable(),
  /** Counts writes: each names the one before. */
  revision: z.int(),
});
export type WebhookEndpointRecord = z.infer<typeof WebhookEndpointRecord>;

export const CreateWebhookEndpoint = z
  .strictObject({ name, url, event_types: eventTypes })
  .openapi("CreateWebhookEndpoint");
export type CreateWebhookEndpoint = z.infer<typeof CreateWebhookEndpoint>;

export const UpdateWebhookEndpoint = z
  .strictObject({
    name: name.optional(),
    url: url.optional(),
    event_types: eventTypes.optional(),
    status: z.enum(endpointStatuses).optional().openapi({
      description: "Millrace's own: `enabled` begins again where it was disabled, with what waits.",
    }),
  })
  .openapi("UpdateWebhookEndpoint");
export type UpdateWebhookEndpoint = z.infer<typeof UpdateWebhookEndpoint>;

export const RotateWebhookSecret = z
  .strictObject({
    keep_old_secret_active_for_24_hours: z.boolean().default(false).openapi({
      description: "True: for 24 hours every delivery bears the signatures of both. False: the old one signs no more.",
    }),
  })
  .openapi("RotateWebhookSecret");
export type RotateWebhookSecret = z.infer<typeof RotateWebhookSecret>;

export const TestWebhookEndpoint = z
  .strictObject({ event_type: WebhookEventType.openapi({ description: "Of the sample event to send." }) })
  .openapi("TestWebhookEndpoint");
export type TestWebhookEndpoint = z.infer<typeof TestWebhookEndpoint>;

export const WebhookEndpointTest = z
  .object({
    object: z.literal("webhook_endpoint.test").openapi({ description: "Always `webhook_endpoint.test`." }),
    webhook_endpoint_id: z.string().openapi({ description: "Of the endpoint." }),
    event_type: WebhookEventType.openapi({ description: "As asked." }),
    success: z.literal(true).openapi({ description: "Always true: it answered; how, `status_code` says." }),
    status_code: z.int().openapi({ description: "HTTP status of its answer." }),
  })
  .openapi("WebhookEndpointTest");
export type WebhookEndpointTest = z.infer<typeof WebhookEndpointTest>;

export const DeletedWebhookEndpoint = z
  .object({
    id: z.string().openapi({ description: "The id it had." }),
    object: z.literal("webhook_endpoint.deleted").openapi({ description: "Always `webhook_endpoint.deleted`." }),
    deleted: z.literal(true).openapi({ description: "Always true." }),
  })
  .openapi("DeletedWebhookEndpoint");
