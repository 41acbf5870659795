/** Rows of uploaded files. */
import { FileRecord } from "../schemas/file.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Files {
  create(record: FileRecord): Promise<void>;
  get(project: string, id: string): Promise<FileRecord | undefined>;
  /** Ordered by creation; pass one more than wanted as `limit` to learn whether a further page exists. */
  list(
    project: string,
    options: { limit: number; after?: string; order: "asc" | "desc"; purpose?: string },
  ): Promise<FileRecord[]>;
  delete(project: string, id: string): Promise<boolean>;
}

const partition = (project: string) => `${project}#file`;

/** The file's row as part of a transaction with what it belongs to. */
export function fileWrite(record: FileRecord): TransactWrite {
  return { type: "create", key: { pk: partition(record.project_id), sk: record.id }, item: record };
}

export function createFiles(table: Table): Files {
  return {
    async create(record) {
      await table.create({ pk: partition(record.project_id), sk: record.id }, record);
    },
    async get(project, id) {
      const item = await table.get({ pk: partition(project), sk: id });
      return item && FileRecord.parse(item);
    },
    async list(project, { limit, after, order, purpose }) {
      const equals = purpose === undefined ? undefined : { purpose };
      const items = await table.query(partition(project), { limit, after, descending: order === "desc", equals });
      return items.map((item) => FileRecord.parse(item));
    },
    delete: (project, id) => table.delete({ pk: partition(project), sk: id }),
  };
}
