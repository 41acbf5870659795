/** Rows of organizations' keys, one each; what a deletion left to be destroyed is found by the sweeper. */
import { EncryptionKeyRecord } from "../schemas/encryptionKey.ts";
import { type Changes, type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface EncryptionKeys {
  get(organization: string): Promise<EncryptionKeyRecord | undefined>;
  /** False where it exists. */
  create(record: EncryptionKeyRecord, also?: readonly TransactWrite[]): Promise<boolean>;
  /** The record with the changes; undefined where somebody else changed it since it was read. */
  change(
    record: EncryptionKeyRecord,
    changes: Partial<EncryptionKeyRecord>,
    also?: readonly TransactWrite[],
  ): Promise<EncryptionKeyRecord | undefined>;
  /** Those with something to destroy. */
  doomed(limit: number): Promise<EncryptionKeyRecord[]>;
}

const kind = "encryption_key";
const { partition: workKind, sort: dueTime } = tableSchema.workIndex;
const keyOf = (organization: string) => ({ pk: `${organization}#encryption_key`, sk: organization });

function workAttributes({ doomed }: Pick<EncryptionKeyRecord, "doomed">): Changes {
  return doomed.length
    ? { [workKind]: kind, [dueTime]: new Date(0).toISOString() }
    : { [workKind]: undefined, [dueTime]: undefined };
}

export function createEncryptionKeys(table: Table): EncryptionKeys {
  return {
    async get(organization) {
      const item = await table.get(keyOf(organization));
      return item && EncryptionKeyRecord.parse(item);
    },
    create: (record, also = []) =>
      table.transact([{ type: "create", key: keyOf(record.organization_id), item: record }, ...also]),
    async change(record, changes, also = []) {
      const next = { ...record, ...changes, revision: record.revision + 1 };
      const { organization_id, ...fields } = next;
      const condition = { expression: "revision = :read", values: { ":read": record.revision } };
      const update = { ...fields, ...workAttributes(next) };
      const write: TransactWrite = { type: "update", key: keyOf(organization_id), changes: update, condition };
      return (await table.transact([write, ...also])) ? next : undefined;
    },
    async doomed(limit) {
      const items = await table.dueWork(kind, new Date().toISOString(), limit);
      return items.map((item) => EncryptionKeyRecord.parse(item));
    },
  };
}
