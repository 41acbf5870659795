/** Rows of functions: each change names the revision that it changes, and may go with other rows' changes. */
import { FunctionRecord, functionNamePattern } from "../schemas/function.ts";
import type { Table, TransactWrite } from "./table.ts";

export type FunctionChanges = Partial<Omit<FunctionRecord, "id" | "name" | "project_id" | "revision">>;

export interface Functions {
  /** False when the name is taken. */
  create(record: FunctionRecord): Promise<boolean>;
  /** Undefined also for what could be no name, without asking the table. */
  get(project: string, name: string): Promise<FunctionRecord | undefined>;
  /** By name. */
  list(project: string): Promise<FunctionRecord[]>;
  /** One with a variant of this model, by the name that the variant has for it. */
  calling(project: string, model: string): Promise<FunctionRecord | undefined>;
  /** False when somebody changed it since it was read. */
  change(record: FunctionRecord, changes: FunctionChanges): Promise<boolean>;
  /** The same, to be written together with other rows. */
  changeWrite(record: FunctionRecord, changes: FunctionChanges): TransactWrite;
  /** False when it was gone or changed since it was read. */
  delete(record: FunctionRecord): Promise<boolean>;
}

const everyFunction = 10_000;
const partition = (project: string) => `${project}#function`;
const keyOf = ({ project_id, name }: Pick<FunctionRecord, "project_id" | "name">) => {
  return { pk: partition(project_id), sk: name };
};
const stillAt = ({ revision }: FunctionRecord) => {
  return { expression: "revision = :revision", values: { ":revision": revision } };
};

export function createFunctions(table: Table): Functions {
  const changeWrite = (record: FunctionRecord, changes: FunctionChanges) => ({
    type: "update" as const,
    key: keyOf(record),
    changes: { ...changes, updated_at: Math.floor(Date.now() / 1000), revision: record.revision + 1 },
    condition: stillAt(record),
  });
  const list = async (project: string) =>
    (await table.query(partition(project), { limit: everyFunction })).map((item) => FunctionRecord.parse(item));
  return {
    changeWrite,
    list,
    async calling(project, model) {
      return (await list(project)).find(({ variants }) => variants.some((variant) => variant.model === model));
    },
    create: (record) => table.create(keyOf(record), record),
    async get(project_id, name) {
      const item = functionNamePattern.test(name) ? await table.get(keyOf({ project_id, name })) : undefined;
      return item && FunctionRecord.parse(item);
    },
    change: (record, changes) => table.transact([changeWrite(record, changes)]),
    delete: (record) => table.transact([{ type: "delete", key: keyOf(record), condition: stillAt(record) }]),
  };
}
