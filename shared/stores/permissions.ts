/** Rows of permissions: found by who calls which model, and listed by the model. One transaction writes both. */
import { PermissionRecord } from "../schemas/permission.ts";
import type { Key, Table, TransactWrite } from "./table.ts";

type Model = Pick<PermissionRecord, "owner_project_id" | "model">;

export interface Permissions {
  /** All or none; false where one is there already. */
  create(records: readonly PermissionRecord[], also: readonly TransactWrite[]): Promise<boolean>;
  /** Of this project to call the model of this name; undefined where it has none. */
  get(project: string, model: string): Promise<PermissionRecord | undefined>;
  /** Names of the models of other projects that this one may call. */
  modelsOf(project: string): Promise<string[]>;
  list(
    model: Model,
    listing: { limit: number; after?: string | undefined; descending: boolean; project?: string | undefined },
  ): Promise<PermissionRecord[]>;
  find(model: Model, id: string): Promise<PermissionRecord | undefined>;
  /** False where it is gone already. */
  delete(record: PermissionRecord, also: readonly TransactWrite[]): Promise<boolean>;
}

const mostModels = 10_000;

const callerKey = ({ project_id, model }: Pick<PermissionRecord, "project_id" | "model">): Key => ({
  pk: `${project_id}#permitted_model`,
  sk: model,
});
const partition = ({ owner_project_id, model }: Model) => `${owner_project_id}#permission#${model}`;

export function createPermissions(table: Table): Permissions {
  const keysOf = (record: PermissionRecord) => [callerKey(record), { pk: partition(record), sk: record.id }];
  return {
    create: (records, also) =>
      table.transact([
        ...records.flatMap((item) => keysOf(item).map((key) => ({ type: "create" as const, key, item }))),
        ...also,
      ]),
    async get(project_id, model) {
      const item = await table.get(callerKey({ project_id, model }));
      return item && PermissionRecord.parse(item);
    },
    async modelsOf(project) {
      const items = await table.query(callerKey({ project_id: project, model: "" }).pk, { limit: mostModels });
      return items.map((item) => PermissionRecord.parse(item).model);
    },
    async list(model, { limit, after, descending, project }) {
      const options = {
        limit,
        descending,
        ...(after && { after }),
        ...(project && { equals: { project_id: project } }),
      };
      return (await table.query(partition(model), options)).map((item) => PermissionRecord.parse(item));
    },
    async find(model, id) {
      const item = await table.get({ pk: partition(model), sk: id });
      return item && PermissionRecord.parse(item);
    },
    delete: (record, also) =>
      table.transact([
        ...keysOf(record).map((key) => {
          const condition = { expression: "id = :id", values: { ":id": record.id } };
          return { type: "delete" as const, key, condition };
        }),
        ...also,
      ]),
  };
}
