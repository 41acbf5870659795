/** Rows of fine-tuned models. */
import { ModelRecord } from "../schemas/model.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Models {
  /** False when the id is taken. */
  create(record: ModelRecord): Promise<boolean>;
  get(project: string, id: string): Promise<ModelRecord | undefined>;
  /** Those of this name that these projects have. */
  owned(projects: readonly string[], id: string): Promise<ModelRecord[]>;
  list(project: string, options: { limit: number }): Promise<ModelRecord[]>;
  delete(project: string, id: string): Promise<boolean>;
}

const partition = (project: string) => `${project}#model`;

/** The model's row as part of the transaction that ends its job. */
export function modelWrite(record: ModelRecord): TransactWrite {
  return { type: "create", key: { pk: partition(record.project_id), sk: record.id }, item: record };
}

export function createModels(table: Table): Models {
  return {
    create: (record) => table.transact([modelWrite(record)]),
    async get(project, id) {
      const item = await table.get({ pk: partition(project), sk: id });
      return item && ModelRecord.parse(item);
    },
    async owned(projects, id) {
      const items = await table.getMany(projects.map((project) => ({ pk: partition(project), sk: id })));
      return items.map((item) => ModelRecord.parse(item));
    },
    async list(project, { limit }) {
      return (await table.query(partition(project), { limit })).map((item) => ModelRecord.parse(item));
    },
    delete: (project, id) => table.delete({ pk: partition(project), sk: id }),
  };
}
