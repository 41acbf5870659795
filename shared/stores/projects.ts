/** Rows of projects, and where each organization's are found. */
import { type InferencePolicy, ProjectRecord } from "../schemas/project.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Projects {
  create(record: ProjectRecord, also?: readonly TransactWrite[]): Promise<boolean>;
  get(id: string): Promise<ProjectRecord | undefined>;
  /** False where there is no such project, or it is archived. */
  update(
    id: string,
    changes: Partial<Pick<ProjectRecord, "name" | "archived_at" | keyof InferencePolicy>>,
    also?: readonly TransactWrite[],
  ): Promise<boolean>;
  /** An organization's, by id. */
  stream(organization: string, after?: string): AsyncGenerator<ProjectRecord>;
}

const pageSize = 100;
const projectKey = (id: string) => ({ pk: `${id}#project`, sk: id });
const listOf = (organization: string) => `${organization}#project`;

export function createProjects(table: Table): Projects {
  return {
    create: (record, also = []) =>
      table.transact([
        { type: "create", key: projectKey(record.id), item: record },
        { type: "create", key: { pk: listOf(record.organization_id), sk: record.id }, item: {} },
        ...also,
      ]),
    async get(id) {
      const item = await table.get(projectKey(id));
      return item && ProjectRecord.parse(item);
    },
    async update(id, changes, also = []) {
      if (Object.keys(changes).length === 0) return true;
      const condition = { expression: "attribute_not_exists(archived_at)" };
      return table.transact([{ type: "update", key: projectKey(id), changes, condition }, ...also]);
    },
    async *stream(organization, first) {
      for (let after = first; ; ) {
        const options = { limit: pageSize, ...(after !== undefined && { after }) };
        const ids = (await table.query(listOf(organization), options)).map(({ sk }) => String(sk));
        const items = await table.getMany(ids.map(projectKey));
        const rows = new Map(items.map((item) => [String(item.sk), ProjectRecord.parse(item)]));
        for (const id of ids) if (rows.has(id)) yield rows.get(id)!;
        after = ids.at(-1);
        if (ids.length < pageSize) return;
      }
    },
  };
}
