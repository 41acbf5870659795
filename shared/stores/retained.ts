/** What retention looks at and removes, where no other store does: rows with their objects, gone together whoever dies in between. */
import { FileRecord } from "../schemas/file.ts";
import { WebhookDeliveryRecord } from "../schemas/webhookDelivery.ts";
import { type Leftover, leftoverWrite } from "./leftovers.ts";
import { type Item, type Key, type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface Retained {
  /** Oldest first. */
  files(project: string, after?: string): AsyncGenerator<FileRecord>;
  deliveries(project: string, endpoint: string): AsyncGenerator<WebhookDeliveryRecord>;
  /** Work that is not over, as text: what it names may not go. */
  unfinished(project: string): Promise<string>;
  /** With its bytes. False where there is none. */
  removeFile(file: FileRecord): Promise<boolean>;
  /** Whatever its row says meanwhile, where work that began since then names it. */
  restoreFile(file: FileRecord): Promise<void>;
  removeBytes(file: FileRecord): Promise<void>;
  removeCheckpoints(
    checkpoints: readonly { id: string; project_id: string; fine_tuning_job_id: string; object_key: string }[],
  ): Promise<void>;
  /** False where it is to be sent again. */
  removeDelivery(delivery: WebhookDeliveryRecord): Promise<boolean>;
}

const page = 100;
const working = ["job", "batch", "eval_run", "dataset_version", "label_queue", "label_doctor", "promotion"];
const fileKey = ({ project_id, id }: FileRecord): Key => ({ pk: `${project_id}#file`, sk: id });
const now = () => Math.floor(Date.now() / 1000);

/** Paused work wants no worker, and goes on all the same. */
const isUnfinished = (item: Item) => tableSchema.workIndex.partition in item || item.status === "paused";

export function createRetained(table: Table, clear: (leftover: Leftover) => Promise<void>): Retained {
  async function* rows(pk: string, first?: string): AsyncGenerator<Item> {
    for (let after = first; ; ) {
      const items = await table.query(pk, { limit: page, ...(after !== undefined && { after }) });
      yield* items;
      if (items.length < page) return;
      after = String(items.at(-1)!.sk);
    }
  }
  const leftoverOf = ({ project_id, id, object_key }: FileRecord): Leftover => ({
    ...{ project_id, id: `${id}#expired`, object_keys: [object_key], feedback_of: null },
  });
  /** So that a file whose remover died is cleared, but not before that could be thought over. */
  const secondThoughtSeconds = 60;

  return {
    async *files(project, after) {
      for await (const item of rows(`${project}#file`, after)) yield FileRecord.parse(item);
    },
    async *deliveries(project, endpoint) {
      for await (const item of rows(`${project}#webhook_delivery#${endpoint}`)) yield WebhookDeliveryRecord.parse(item);
    },
    async unfinished(project) {
      const found: Item[] = [];
      for (const noun of working) {
        for await (const item of rows(`${project}#${noun}`)) if (isUnfinished(item)) found.push(item);
      }
      return JSON.stringify(found);
    },
    removeFile: (file) =>
      table.transact([
        { type: "delete", key: fileKey(file), condition: { expression: "attribute_exists(sk)" } },
        leftoverWrite(leftoverOf(file), now() + secondThoughtSeconds),
      ]),
    async restoreFile(file) {
      const { project_id, id } = leftoverOf(file);
      await table.transact([
        { type: "put", key: fileKey(file), item: file },
        { type: "delete", key: { pk: `${project_id}#leftover`, sk: id } },
      ]);
    },
    removeBytes: (file) => clear(leftoverOf(file)),
    async removeCheckpoints(checkpoints) {
      for (const { project_id, id, fine_tuning_job_id, object_key } of checkpoints) {
        const leftover = { project_id, id: `${id}#expired`, object_keys: [object_key], feedback_of: null };
        const row: TransactWrite = {
          type: "delete",
          key: { pk: `${project_id}#checkpoint#${fine_tuning_job_id}`, sk: id },
        };
        await table.transact([row, leftoverWrite(leftover, now())]);
        await clear(leftover);
      }
    },
    removeDelivery({ project_id, id, webhook_endpoint_id }) {
      const key = { pk: `${project_id}#webhook_delivery#${webhook_endpoint_id}`, sk: id };
      const condition = { expression: "#due = :none", names: { "#due": "due" }, values: { ":none": null } };
      return table.transact([{ type: "delete", key, condition }]);
    },
  };
}
