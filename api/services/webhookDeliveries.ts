/** The log of what was sent to a webhook endpoint, as a client sees it, and sending some of it again. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { WebhookDelivery } from "../../shared/schemas/webhookDelivery.ts";
import type { WebhookEndpointRecord } from "../../shared/schemas/webhookEndpoint.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { redeliveryWrites } from "../../shared/stores/webhookDeliveries.ts";
import type { Paging } from "./fineTuningJobs.ts";

export interface WebhookDeliveryService {
  /** Newest first. */
  list(project: Project, endpoint: string, paging: Paging): Promise<Page<WebhookDelivery>>;
  redeliver(project: Project, endpoint: string, id: string): Promise<WebhookDelivery>;
}

export function createWebhookDeliveryService({
  webhookEndpoints: endpoints,
  webhookDeliveries: deliveries,
}: Pick<Stores, "webhookEndpoints" | "webhookDeliveries">): WebhookDeliveryService {
  const require = async (project: Project, id: string): Promise<WebhookEndpointRecord> => {
    const endpoint = isId("webhook_endpoint", id) ? await endpoints.get(project.id, id) : undefined;
    if (!endpoint) throw notFound("webhook endpoint", id);
    return endpoint;
  };
  return {
    async list(project, id, { limit, after }) {
      const endpoint = await require(project, id);
      const options = { limit: limit + 1, descending: true, ...(after && { after }) };
      return toPage(await deliveries.list(endpoint, options), limit);
    },
    async redeliver(project, endpointId, id) {
      for (;;) {
        const endpoint = await require(project, endpointId);
        const delivery = isId("webhook_delivery", id) ? await deliveries.get(endpoint, id) : undefined;
        if (!delivery) throw notFound("delivery", id, "delivery_id");
        if (endpoint.status !== "enabled") {
          const message = `Webhook endpoint '${endpointId}' is disabled: enable it first.`;
          throw new ApiError("invalid_state", message, { param: "id" });
        }
        const due = Date.now();
        // It is on its way already.
        if (delivery.due !== null && delivery.due <= due) return delivery;
        // A worker, too, writes to both rows: whoever loses the race looks again.
        const writes = redeliveryWrites(delivery, due);
        if (!(await endpoints.change(endpoint, {}, { writes, due }))) continue;
        return { ...delivery, status: "pending", next_attempt_at: Math.floor(due / 1000) };
      }
    },
  };
}
