/** Webhooks of a test: endpoints made by the SDK, things that happen, and the workers' tasks run as messages would have them run. */
import type OpenAI from "openai";
import { toFile } from "openai";
import { newId } from "../../shared/ids.ts";
import type { WebhookDelivery } from "../../shared/schemas/webhookDelivery.ts";
import type { WebhookEndpointWithSecret } from "../../shared/schemas/webhookEndpoint.ts";
import type { WebhookEventType } from "../../shared/schemas/webhookEvent.ts";
import { deliveryWrites, newDelivery } from "../../shared/stores/webhookDeliveries.ts";
import type { Deployment } from "./deployment.ts";
import { fakeHost } from "./fakeHost.ts";
import { workerContext, workOn } from "./workerTasks.ts";

export async function addEndpoint(
  client: OpenAI,
  url: string,
  event_types: readonly WebhookEventType[] = ["fine_tuning.job.cancelled"],
): Promise<WebhookEndpointWithSecret> {
  return client.post("/webhook_endpoints", { body: { name: "hook", url, event_types } });
}

export async function deliveriesTo(client: OpenAI, endpoint: { id: string }): Promise<WebhookDelivery[]> {
  const listed = `/webhook_endpoints/${endpoint.id}/deliveries`;
  return (await client.get<{ data: WebhookDelivery[] }>(listed, { query: { limit: 100 } })).data;
}

/** Jobs that are cancelled before any worker sees them; returns their ids. */
export async function cancelJobs(client: OpenAI, count: number): Promise<string[]> {
  const file = await client.files.create({ file: await toFile(Buffer.from("{}\n"), "a.jsonl"), purpose: "fine-tune" });
  const jobs = Array.from({ length: count }, async () => {
    const { id } = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file.id });
    await client.fineTuning.jobs.cancel(id);
    return id;
  });
  return Promise.all(jobs);
}

/** Later than any message is waited for, and sooner than the second attempt at anything. */
const graceMilliseconds = 11_000;

export interface Pump {
  /** All that is due is handed over and tried once; resolves when every attempt has ended. */
  run(options?: { shutdown?: AbortSignal }): Promise<void>;
  /** Events that endpoints do not have. */
  pending(): Promise<string[]>;
  /** Endpoints that a worker is to look at within so many seconds. */
  due(seconds: number): Promise<string[]>;
}

export function createPump(deployment: Deployment): Pump {
  const context = workerContext(deployment, fakeHost());
  const { webhookEvents, webhookEndpoints } = deployment.stores;
  const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);
  return {
    async run({ shutdown } = {}) {
      const now = Date.now() + graceMilliseconds;
      const events = await webhookEvents.overdue(now, 100);
      await Promise.all(events.map((row) => workOn(context, "webhook_event", row)));
      const endpoints = await webhookEndpoints.overdue(now, 100);
      await Promise.all(endpoints.map((row) => workOn(context, "webhook_endpoint", row, shutdown)));
      await context.webhooks.lanes.idle();
    },
    pending: async () => idsOf(await webhookEvents.overdue(Date.now(), 100)),
    due: async (seconds) => idsOf(await webhookEndpoints.overdue(Date.now() + 1000 * seconds, 100)),
  };
}

/** A project's only endpoint, which answers, and a delivery to it that was made: what a contract's paths and bodies name. */
export async function freshWebhook({ stores, a, client, origin }: Deployment): Promise<Record<string, string>> {
  const { webhookEndpoints } = stores;
  for (const endpoint of await webhookEndpoints.list(a.project.id, { limit: 100 })) {
    await webhookEndpoints.delete(endpoint);
  }
  const { id } = await addEndpoint(client(), `${origin}/healthz`);
  const endpoint = (await webhookEndpoints.get(a.project.id, id))!;
  const event = { id: newId("webhook_event"), object: "event" as const, created_at: 1_790_000_000 };
  const told = { ...event, type: "batch.completed" as const, data: { id: "batch_x" }, project_id: a.project.id };
  const delivery = newDelivery(endpoint, told, Date.now());
  await webhookEndpoints.change(endpoint, {}, { writes: deliveryWrites(delivery) });
  return { webhook_endpoints: id, deliveries: delivery.id };
}
