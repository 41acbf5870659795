/**
 * Rows of deliveries. Of each that is to be sent, a pointer lies in its endpoint's partition of due times, and is written and
 * deleted with the row: what is due next is the first of them, however many were sent before.
 */
import { derivedId, timeOfId } from "../ids.ts";
import { type WebhookAttempt, WebhookDeliveryRecord } from "../schemas/webhookDelivery.ts";
import type { WebhookEndpointRecord } from "../schemas/webhookEndpoint.ts";
import { WebhookEvent, type WebhookEventRecord } from "../schemas/webhookEvent.ts";
import { type QueryOptions, type Table, type TransactWrite, tableSchema } from "./table.ts";
import { keptSeconds } from "./webhookEvents.ts";

export interface WebhookDeliveries {
  get(endpoint: EndpointName, id: string): Promise<WebhookDeliveryRecord | undefined>;
  list(endpoint: EndpointName, options: QueryOptions): Promise<WebhookDeliveryRecord[]>;
  /** Those that are to be sent soonest, due or not. */
  next(endpoint: EndpointName, limit: number): Promise<WebhookDeliveryRecord[]>;
  /** What came of an attempt. False where somebody else recorded one. */
  record(delivery: WebhookDeliveryRecord, attempt: WebhookAttempt, outcome: DeliveryOutcome): Promise<boolean>;
}

export type EndpointName = Pick<WebhookEndpointRecord, "project_id" | "id">;

export interface DeliveryOutcome {
  status: WebhookDeliveryRecord["status"];
  /** When it is tried again, in milliseconds; null: not. */
  due: number | null;
}

const mostAttempts = 20;

const partition = ({ project_id, id }: EndpointName) => `${project_id}#webhook_delivery#${id}`;
const endpointOf = (delivery: WebhookDeliveryRecord) => {
  return { project_id: delivery.project_id, id: delivery.webhook_endpoint_id };
};
const keyOf = (delivery: WebhookDeliveryRecord) => ({ pk: partition(endpointOf(delivery)), sk: delivery.id });
const duePartition = ({ project_id, id }: EndpointName) => `${project_id}#webhook_due#${id}`;
const dueKey = (delivery: WebhookDeliveryRecord, due: number) => {
  return { pk: duePartition(endpointOf(delivery)), sk: `${new Date(due).toISOString()}#${delivery.id}` };
};
const expiry = ({ created_at }: WebhookDeliveryRecord) => ({ [tableSchema.timeToLive]: created_at + keptSeconds });
const secondsOf = (due: number | null) => (due === null ? null : Math.floor(due / 1000));

/** The same one however often it is asked for. */
export function newDelivery(endpoint: EndpointName, event: WebhookEventRecord, due: number): WebhookDeliveryRecord {
  return {
    id: derivedId("webhook_delivery", timeOfId(event.id), `${event.id}#${endpoint.id}`),
    object: "webhook_endpoint.delivery",
    webhook_endpoint_id: endpoint.id,
    event: WebhookEvent.parse(event),
    status: "pending",
    attempts: [],
    next_attempt_at: secondsOf(due),
    created_at: event.created_at,
    project_id: endpoint.project_id,
    tries: 0,
    due,
  };
}

export function deliveryWrites(delivery: WebhookDeliveryRecord): TransactWrite[] {
  const row: TransactWrite = { type: "create", key: keyOf(delivery), item: { ...delivery, ...expiry(delivery) } };
  return [row, pointTo(delivery, delivery.due!)];
}

/** It is to be sent again at `due`, as if for the first time. */
export function redeliveryWrites(delivery: WebhookDeliveryRecord, due: number): TransactWrite[] {
  return moveWrites(delivery, { status: "pending", due }, { tries: 0 });
}

function pointTo(delivery: WebhookDeliveryRecord, due: number): TransactWrite {
  return { type: "put", key: dueKey(delivery, due), item: { delivery_id: delivery.id, ...expiry(delivery) } };
}

function moveWrites(
  delivery: WebhookDeliveryRecord,
  { status, due }: DeliveryOutcome,
  more: Partial<WebhookDeliveryRecord>,
): TransactWrite[] {
  const changes = { ...more, status, due, next_attempt_at: secondsOf(due) };
  const condition = { expression: "#due = :due", names: { "#due": "due" }, values: { ":due": delivery.due } };
  return [
    { type: "update", key: keyOf(delivery), changes, condition },
    ...(delivery.due === null ? [] : [{ type: "delete" as const, key: dueKey(delivery, delivery.due) }]),
    ...(due === null ? [] : [pointTo(delivery, due)]),
  ];
}

export function createWebhookDeliveries(table: Table): WebhookDeliveries {
  const parse = (item: Record<string, unknown>) => WebhookDeliveryRecord.parse(item);
  return {
    async get(endpoint, id) {
      const item = await table.get({ pk: partition(endpoint), sk: id });
      return item && parse(item);
    },
    async list(endpoint, options) {
      return (await table.query(partition(endpoint), options)).map(parse);
    },
    async next(endpoint, limit) {
      const pointers = await table.query(duePartition(endpoint), { limit });
      const ids = pointers.map(({ delivery_id }) => String(delivery_id));
      const items = await table.getMany(ids.map((sk) => ({ pk: partition(endpoint), sk })));
      return items.map(parse).sort((a, b) => a.due! - b.due!);
    },
    record(delivery, attempt, outcome) {
      const attempts = [...delivery.attempts, attempt].slice(-mostAttempts);
      return table.transact(moveWrites(delivery, outcome, { attempts, tries: delivery.tries + 1 }));
    },
  };
}
