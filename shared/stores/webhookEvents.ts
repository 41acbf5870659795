/** Rows of events: each is written with the change that it tells of, and found by the sweeper until endpoints have it. */
import { newId } from "../ids.ts";
import type { MessageKind } from "../messages.ts";
import { WebhookEventRecord, type WebhookEventType } from "../schemas/webhookEvent.ts";
import type { RowName } from "./leasedRows.ts";
import { type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface WebhookEvents {
  readonly kind: MessageKind;
  readonly wakes: true;
  /** Undefined also for what endpoints have. */
  pending(project: string, id: string): Promise<WebhookEventRecord | undefined>;
  /** Hands it to endpoints, by these writes; false where somebody else did, or where one of them changed meanwhile. */
  handOver(event: WebhookEventRecord, writes: readonly TransactWrite[]): Promise<boolean>;
  /** Those that endpoints do not have, of all projects. */
  overdue(now: number, limit: number): Promise<RowName[]>;
  postpone(row: RowName, now: number, time: number): Promise<boolean>;
}

/** Events and deliveries, in seconds. */
export const keptSeconds = 30 * 24 * 60 * 60;

const kind = "webhook_event";
const { partition: workKind, sort: dueTime } = tableSchema.workIndex;
const sortable = (milliseconds: number) => new Date(milliseconds).toISOString();
const keyOf = ({ project_id, id }: RowName) => ({ pk: `${project_id}#webhook_event`, sk: id });
const isPending = { expression: "#due > :no", names: { "#due": dueTime }, values: { ":no": "" } };

/** To be written in the transaction in which it happens to `row`. */
export function webhookEventWrite({ project_id, id }: RowName, type: WebhookEventType): TransactWrite {
  const now = Date.now();
  const created_at = Math.floor(now / 1000);
  const event: WebhookEventRecord = {
    ...{ id: newId("webhook_event"), object: "event", created_at, type, data: { id }, project_id },
  };
  const due = { [workKind]: kind, [dueTime]: sortable(now), [tableSchema.timeToLive]: created_at + keptSeconds };
  return { type: "create", key: keyOf(event), item: { ...event, ...due } };
}

export function createWebhookEvents(table: Table): WebhookEvents {
  return {
    kind,
    wakes: true,
    async pending(project_id, id) {
      const item = await table.get(keyOf({ project_id, id }));
      return item?.[dueTime] === undefined ? undefined : WebhookEventRecord.parse(item);
    },
    handOver(event, writes) {
      const changes = { [workKind]: undefined, [dueTime]: undefined };
      return table.transact([{ type: "update", key: keyOf(event), changes, condition: isPending }, ...writes]);
    },
    async overdue(now, limit) {
      return (await table.dueWork(kind, sortable(now), limit)).map((item) => WebhookEventRecord.parse(item));
    },
    postpone(row, now, time) {
      const overdue = { expression: "#due <= :now", names: { "#due": dueTime }, values: { ":now": sortable(now) } };
      return table.update(keyOf(row), { [dueTime]: sortable(time) }, overdue);
    },
  };
}
