/** The task behind an endpoint's message: begins to deliver what is due to it, unless somebody does already. */

import type { Lease } from "../../../shared/schemas/lease.ts";
import type { WebhookEndpointRecord } from "../../../shared/schemas/webhookEndpoint.ts";
import { newLease } from "../../../shared/stores/leasedRows.ts";
import type { Outcome, Task } from "../../task.ts";
import { runLane, type WebhookWork } from "./lane.ts";

const done: Outcome = { type: "done" };
/** Where this process has no room, it or another one looks again so much later. */
const crowdedMilliseconds = 2000;

export function webhookEndpointTask(context: WebhookWork): Task {
  const { stores, webhooks, log } = context;
  return async ({ project_id, id }, shutdown) => {
    const lease = await take(context, project_id, id);
    if (!lease || webhooks.lanes.open(project_id, () => runLane(context, { project_id, id }, lease, shutdown))) {
      return done;
    }
    const endpoint = await stores.webhookEndpoints.get(project_id, id);
    const due = Date.now() + crowdedMilliseconds;
    log.debug({ project: project_id, endpoint: id }, "no room to deliver to it now");
    if (endpoint) await stores.webhookEndpoints.change(endpoint, { lease: null }, { due });
    return done;
  };
}

/** Undefined where there is nothing to do for this worker. */
async function take({ stores, config }: WebhookWork, project: string, id: string): Promise<Lease | undefined> {
  const { webhookEndpoints } = stores;
  for (;;) {
    const endpoint = await webhookEndpoints.get(project, id);
    if (endpoint?.status !== "enabled") return undefined;
    const theirs = isHeld(endpoint) ? endpoint.lease : null;
    // Long enough for a turn, and an attempt that it began at the end.
    const lease = theirs ?? newLease(config.leaseSeconds + config.webhookTimeoutSeconds);
    // Whoever holds it may die: then somebody else is brought as soon as the lease has run out.
    if (await webhookEndpoints.change(endpoint, { lease }, { due: lease.expires_at })) {
      return theirs ? undefined : lease;
    }
  }
}

const isHeld = ({ lease }: WebhookEndpointRecord) => lease !== null && lease.expires_at > Date.now();
