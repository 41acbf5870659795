/** Rows of webhook endpoints: each change names the revision that it changes; those with something to deliver are swept. */
import type { MessageKind } from "../messages.ts";
import { WebhookEndpointRecord } from "../schemas/webhookEndpoint.ts";
import type { RowName } from "./leasedRows.ts";
import { type QueryOptions, type Table, type TransactWrite, tableSchema } from "./table.ts";

export type EndpointChanges = Partial<Omit<WebhookEndpointRecord, "id" | "project_id" | "revision">>;

export interface WebhookEndpoints {
  readonly kind: MessageKind;
  readonly wakes: true;
  create(record: WebhookEndpointRecord): Promise<boolean>;
  get(project: string, id: string): Promise<WebhookEndpointRecord | undefined>;
  list(project: string, options: QueryOptions): Promise<WebhookEndpointRecord[]>;
  /** False when it, or one of the other rows, was changed since it was read. */
  change(
    record: WebhookEndpointRecord,
    changes: EndpointChanges,
    options?: { due?: Due; writes?: readonly TransactWrite[] },
  ): Promise<boolean>;
  /** The same change as part of another transaction. */
  changeWrite(record: WebhookEndpointRecord, changes: EndpointChanges, due?: Due): TransactWrite;
  delete(record: WebhookEndpointRecord): Promise<boolean>;
  /** Those with something to deliver, of all projects. */
  overdue(now: number, limit: number): Promise<RowName[]>;
  postpone(row: RowName, now: number, time: number): Promise<boolean>;
}

/** When a worker should look at it, in milliseconds; null: there is nothing to deliver. Left out, that stays. */
export type Due = number | null;

const kind = "webhook_endpoint";
const { partition: workKind, sort: dueTime } = tableSchema.workIndex;
const sortable = (milliseconds: number) => new Date(milliseconds).toISOString();
const partition = (project: string) => `${project}#webhook_endpoint`;
const keyOf = ({ project_id, id }: RowName) => ({ pk: partition(project_id), sk: id });

function dueAttributes(due: Due | undefined) {
  if (due === undefined) return {};
  return due === null
    ? { [workKind]: undefined, [dueTime]: undefined }
    : { [workKind]: kind, [dueTime]: sortable(due) };
}

export function createWebhookEndpoints(table: Table): WebhookEndpoints {
  const parse = (item: Record<string, unknown>) => WebhookEndpointRecord.parse(item);
  const isUnchanged = ({ revision }: WebhookEndpointRecord) => {
    return { expression: "revision = :revision", values: { ":revision": revision } };
  };
  const changeWrite: WebhookEndpoints["changeWrite"] = (record, changes, due) => {
    const next = { ...changes, ...dueAttributes(due), revision: record.revision + 1 };
    return { type: "update", key: keyOf(record), changes: next, condition: isUnchanged(record) };
  };
  return {
    kind,
    wakes: true,
    create: (record) => table.create(keyOf(record), record),
    async get(project_id, id) {
      const item = await table.get(keyOf({ project_id, id }));
      return item && parse(item);
    },
    async list(project, options) {
      return (await table.query(partition(project), options)).map(parse);
    },
    changeWrite,
    change: (record, changes, { due, writes = [] } = {}) =>
      table.transact([changeWrite(record, changes, due), ...writes]),
    delete: (record) => table.transact([{ type: "delete", key: keyOf(record), condition: isUnchanged(record) }]),
    async overdue(now, limit) {
      return (await table.dueWork(kind, sortable(now), limit)).map(parse);
    },
    postpone(row, now, time) {
      const overdue = { expression: "#due <= :now", names: { "#due": dueTime }, values: { ":now": sortable(now) } };
      return table.update(keyOf(row), { [dueTime]: sortable(time) }, overdue);
    },
  };
}
