/** What is due to one endpoint, a few at a time, for one turn: then it is left to whoever the sweeper brings next. */
import type { Lease } from "../../../shared/schemas/lease.ts";
import type { WebhookDeliveryRecord } from "../../../shared/schemas/webhookDelivery.ts";
import type { WebhookEndpointRecord } from "../../../shared/schemas/webhookEndpoint.ts";
import type { RowName } from "../../../shared/stores/leasedRows.ts";
import type { Due, EndpointChanges } from "../../../shared/stores/webhookEndpoints.ts";
import { deliver } from "../../../shared/webhooks/deliver.ts";
import { failingSeconds, outcomeOf } from "../../../shared/webhooks/schedule.ts";
import type { WorkerContext } from "../context.ts";

/** Sent to one endpoint at the same time. */
const window = 4;
/** After an error that is ours, such as a secret that cannot be opened. */
const troubledMilliseconds = 60_000;

/** What the attempts of a turn tell of the endpoint. */
interface Health {
  gone: boolean;
  /** Of the last attempts; undefined: there were none. */
  took: boolean | undefined;
}

export type WebhookWork = Pick<WorkerContext, "stores" | "webhooks" | "log" | "config">;

/** Never throws. */
export async function runLane(context: WebhookWork, name: RowName, lease: Lease, shutdown: AbortSignal): Promise<void> {
  const health: Health = { gone: false, took: undefined };
  try {
    const end = lease.expires_at - context.config.webhookTimeoutSeconds * 1000;
    while (!shutdown.aborted && !health.gone && Date.now() < end) {
      if (!(await sendDue(context, name, lease, health))) break;
    }
    await release(context, name, lease, health);
  } catch (error) {
    context.log.error({ endpoint: name.id, error }, "deliveries failed");
    // The lease runs out by itself where even this fails.
    await release(context, name, lease, health, Date.now() + troubledMilliseconds).catch(() => {});
  }
}

/** False when nothing is due, or the endpoint is not this lane's any more. */
async function sendDue(context: WebhookWork, name: RowName, lease: Lease, health: Health): Promise<boolean> {
  const { webhookEndpoints, webhookDeliveries } = context.stores;
  // Read again each time: its URL, its secrets and whether it is enabled may have changed.
  const endpoint = await webhookEndpoints.get(name.project_id, name.id);
  if (!endpoint || !isOurs(endpoint, lease)) return false;
  const next = await webhookDeliveries.next(endpoint, window);
  const due = next.filter((delivery) => delivery.due! <= Date.now());
  const delivered = await Promise.all(due.map((delivery) => attempt(context, endpoint, delivery, health)));
  if (delivered.length > 0) health.took = delivered.some(Boolean);
  return due.length > 0;
}

async function attempt(
  context: WebhookWork,
  endpoint: WebhookEndpointRecord,
  delivery: WebhookDeliveryRecord,
  health: Health,
): Promise<boolean> {
  const { retry_after, ...sent } = await deliver(context.webhooks, endpoint, delivery.event);
  const delivered = sent.error === null;
  if (sent.status_code === 410) health.gone = true;
  const outcome = outcomeOf({ delivered, tries: delivery.tries + 1, retryAfter: retry_after }, Date.now());
  await context.stores.webhookDeliveries.record(delivery, sent, outcome);
  context.log.debug({ delivery: delivery.id, status: sent.status_code, error: sent.error }, "webhook was tried");
  return delivered;
}

const isOurs = ({ lease, status }: WebhookEndpointRecord, { attempt_id }: Lease) =>
  status === "enabled" && lease?.attempt_id === attempt_id;

/** Gives the lease up until something is due; who adds a delivery meanwhile changes the revision, and is seen. */
async function release(context: WebhookWork, name: RowName, lease: Lease, health: Health, at?: Due): Promise<void> {
  const { webhookEndpoints, webhookDeliveries } = context.stores;
  for (;;) {
    const endpoint = await webhookEndpoints.get(name.project_id, name.id);
    if (endpoint?.lease?.attempt_id !== lease.attempt_id) return;
    const changes: EndpointChanges = { lease: null, ...changesBy(endpoint, health) };
    const isEnabled = (changes.status ?? endpoint.status) === "enabled";
    const [first] = isEnabled ? await webhookDeliveries.next(endpoint, 1) : [];
    const due = isEnabled ? (at ?? first?.due ?? null) : null;
    if (!(await webhookEndpoints.change(endpoint, changes, { due }))) continue;
    if (changes.status) context.log.info({ endpoint: name.id, reason: changes.disabled_reason }, "endpoint disabled");
    return;
  }
}

function changesBy({ status, failing_since }: WebhookEndpointRecord, { gone, took }: Health): EndpointChanges {
  if (status !== "enabled" || took === undefined) return {};
  if (gone) return { status: "disabled", disabled_reason: "gone" };
  const now = Math.floor(Date.now() / 1000);
  const since = took ? null : (failing_since ?? now);
  if (since !== null && now - since > failingSeconds) return { status: "disabled", disabled_reason: "failing" };
  return since === failing_since ? {} : { failing_since: since };
}
