/** An event to an endpoint, once: signed afresh, by every secret that holds. */
import type { WebhookEndpointRecord } from "../schemas/webhookEndpoint.ts";
import type { WebhookEvent } from "../schemas/webhookEvent.ts";
import type { Sealer } from "./sealer.ts";
import { openSecrets } from "./secrets.ts";
import type { Sender, Sent } from "./sender.ts";
import { signedHeaders } from "./signature.ts";

export interface WebhookContext {
  sender: Sender;
  sealer: Sealer;
}

/** Throws where the endpoint's secrets cannot be opened. */
export function deliver(
  { sender, sealer }: WebhookContext,
  endpoint: WebhookEndpointRecord,
  event: WebhookEvent,
): Promise<Sent> {
  const body = JSON.stringify(event);
  const at = Math.floor(Date.now() / 1000);
  return sender.send(endpoint.url, signedHeaders(event.id, at, body, openSecrets(endpoint, sealer)), body);
}
