/** Rows of imported models: one partition of the deployment, as they belong to no project. */
import { baseIdPattern, ImportedRecord } from "../schemas/base.ts";
import type { Table } from "./table.ts";

export interface Bases {
  /** False when the id is taken. */
  create(record: ImportedRecord): Promise<boolean>;
  /** Puts other content under the id; false unless its content is still what `digest` says. */
  replace(record: ImportedRecord, digest: string): Promise<boolean>;
  /** Undefined also for what could be no base's id, without asking the table. */
  get(id: string): Promise<ImportedRecord | undefined>;
  /** By id. */
  list(): Promise<ImportedRecord[]>;
  /** False when there was none. */
  delete(id: string): Promise<boolean>;
}

const partition = "deployment#base";
const everyBase = 10_000;
const keyOf = (id: string) => ({ pk: partition, sk: id });

export function createBases(table: Table): Bases {
  return {
    create: (record) => table.create(keyOf(record.id), record),
    replace: (record, digest) =>
      table.update(keyOf(record.id), record, {
        expression: "#digest = :digest",
        names: { "#digest": "digest" },
        values: { ":digest": digest },
      }),
    async get(id) {
      const item = baseIdPattern.test(id) ? await table.get(keyOf(id)) : undefined;
      return item && ImportedRecord.parse(item);
    },
    async list() {
      return (await table.query(partition, { limit: everyBase })).map((item) => ImportedRecord.parse(item));
    },
    delete: (id) => table.delete(keyOf(id)),
  };
}
