/** Rows of organizations. */
import { OrganizationRecord } from "../schemas/organization.ts";
import type { Table } from "./table.ts";

export interface Organizations {
  /** False where it exists. */
  create(record: OrganizationRecord): Promise<boolean>;
  get(id: string): Promise<OrganizationRecord | undefined>;
}

const keyOf = (id: string) => ({ pk: `${id}#organization`, sk: id });

export function createOrganizations(table: Table): Organizations {
  return {
    create: (record) => table.create(keyOf(record.id), record),
    async get(id) {
      const item = await table.get(keyOf(id));
      return item && OrganizationRecord.parse(item);
    },
  };
}
