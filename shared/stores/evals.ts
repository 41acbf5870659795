/** Rows of evals. */
import { EvalRecord } from "../schemas/eval.ts";
import type { QueryOptions, Table } from "./table.ts";

export interface Evals {
  /** False when there is one of this id. */
  create(record: EvalRecord): Promise<boolean>;
  get(project: string, id: string): Promise<EvalRecord | undefined>;
  /** By time of creation, oldest first unless told otherwise. */
  list(project: string, options: QueryOptions): Promise<EvalRecord[]>;
  /** False when it is gone. */
  update(record: EvalRecord, changes: Partial<EvalRecord>): Promise<boolean>;
  delete(record: EvalRecord): Promise<boolean>;
}

const partition = (project: string) => `${project}#eval`;
const keyOf = ({ project_id, id }: Pick<EvalRecord, "project_id" | "id">) => ({ pk: partition(project_id), sk: id });
const exists = { expression: "attribute_exists(pk)" };

export function createEvals(table: Table): Evals {
  return {
    create: (record) => table.create(keyOf(record), record),
    async get(project_id, id) {
      const item = await table.get(keyOf({ project_id, id }));
      return item && EvalRecord.parse(item);
    },
    async list(project, options) {
      return (await table.query(partition(project), options)).map((item) => EvalRecord.parse(item));
    },
    update: (record, changes) => table.update(keyOf(record), changes, exists),
    delete: (record) => table.delete(keyOf(record)),
  };
}
