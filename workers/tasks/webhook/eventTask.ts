/** The task behind an event's message: every endpoint that wants it gets a delivery, all of them in one write. */
import { mostEndpoints, type WebhookEndpointRecord } from "../../../shared/schemas/webhookEndpoint.ts";
import type { WebhookEventRecord } from "../../../shared/schemas/webhookEvent.ts";
import { deliveryWrites, newDelivery } from "../../../shared/stores/webhookDeliveries.ts";
import type { Outcome, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";

/** A message follows at once; should it be lost, the sweeper sends another after this time. */
const messageGrace = 10_000;

const done: Outcome = { type: "done" };

export function webhookEventTask({ stores, queue }: Pick<WorkerContext, "stores" | "queue">): Task {
  const { webhookEndpoints, webhookEvents } = stores;
  return async ({ project_id, id }) => {
    for (;;) {
      const event = await webhookEvents.pending(project_id, id);
      if (!event) return done;
      // Of the newest: two that were made at the same moment may be one too many.
      const options = { limit: mostEndpoints, descending: true };
      const told = (await webhookEndpoints.list(project_id, options)).filter((endpoint) => wants(endpoint, event));
      const due = Date.now();
      const writes = told.flatMap((endpoint) => [
        webhookEndpoints.changeWrite(endpoint, {}, due + messageGrace),
        ...deliveryWrites(newDelivery(endpoint, event, due)),
      ]);
      // Where an endpoint was changed meanwhile, it may want no more of it.
      if (!(await webhookEvents.handOver(event, writes))) continue;
      for (const endpoint of told) await queue.send("webhook_endpoint", endpoint);
      return done;
    }
  };
}

function wants({ status, event_types }: WebhookEndpointRecord, { type }: WebhookEventRecord): boolean {
  return status === "enabled" && event_types.includes(type);
}
