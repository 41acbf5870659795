/** Rows of an organization's users, unique by their address, and of the members of projects. */
import type { Role } from "../schemas/organization.ts";
import { MemberRecord, UserRecord } from "../schemas/user.ts";
import type { Item, Key, Table, TransactWrite } from "./table.ts";

interface Listing {
  limit: number;
  after?: string;
}
type Also = readonly TransactWrite[];

export interface Users {
  /** False where the address is taken. */
  create(record: UserRecord, also: Also): Promise<boolean>;
  get(organization: string, id: string): Promise<UserRecord | undefined>;
  byEmail(organization: string, email: string): Promise<UserRecord | undefined>;
  list(organization: string, listing: Listing): Promise<UserRecord[]>;
  /** False where it is gone. */
  setRole(record: UserRecord, role: Role, also: Also): Promise<boolean>;
  delete(record: UserRecord, also: Also): Promise<boolean>;
}

export interface Members {
  /** False where it belongs already. */
  create(record: MemberRecord, also: Also): Promise<boolean>;
  get(project: string, id: string): Promise<MemberRecord | undefined>;
  list(project: string, type: MemberRecord["type"], listing: Listing): Promise<MemberRecord[]>;
  /** False where it is gone. */
  setRole(record: MemberRecord, role: Role, also: Also): Promise<boolean>;
  delete(record: MemberRecord, also: Also): Promise<boolean>;
}

const there = { expression: "attribute_exists(sk)" };
const emailKey = (organization: string, email: string): Key => ({ pk: `${organization}#user_email`, sk: email });

/** What both have; `partition` is where its row lies. */
function rolesIn<Row extends { id: string }>(table: Table, partition: (row: Row) => string) {
  const keyOf = (row: Row) => ({ pk: partition(row), sk: row.id });
  return {
    keyOf,
    setRole: (row: Row, role: Role, also: Also) =>
      table.transact([{ type: "update", key: keyOf(row), changes: { role }, condition: there }, ...also]),
    delete: (row: Row, also: Also) => table.transact([{ type: "delete", key: keyOf(row), condition: there }, ...also]),
  };
}

export function createUsers(table: Table): Users {
  const partition = (organization: string) => `${organization}#user`;
  const rows = rolesIn<UserRecord>(table, (row) => partition(row.organization_id));
  const get: Users["get"] = async (organization, id) => {
    const item = await table.get({ pk: partition(organization), sk: id });
    return item && UserRecord.parse(item);
  };
  return {
    ...rows,
    get,
    create: (record, also) =>
      table.transact([
        { type: "create", key: rows.keyOf(record), item: record },
        { type: "create", key: emailKey(record.organization_id, record.email), item: { user_id: record.id } },
        ...also,
      ]),
    async byEmail(organization, email) {
      const found = await table.get(emailKey(organization, email));
      return found && get(organization, String(found.user_id));
    },
    list: async (organization, listing) => (await table.query(partition(organization), listing)).map(parseUser),
    delete: (record, also) =>
      rows.delete(record, [{ type: "delete", key: emailKey(record.organization_id, record.email) }, ...also]),
  };
}

const parseUser = (item: Item) => UserRecord.parse(item);

export function createMembers(table: Table): Members {
  const partition = (project: string, type: MemberRecord["type"]) => `${project}#member#${type}`;
  const rows = rolesIn<MemberRecord>(table, (row) => partition(row.project_id, row.type));
  return {
    ...rows,
    create: (record, also) => table.transact([{ type: "create", key: rows.keyOf(record), item: record }, ...also]),
    async get(project, id) {
      const type = id.startsWith("user_") ? "user" : "service_account";
      const item = await table.get({ pk: partition(project, type), sk: id });
      return item && MemberRecord.parse(item);
    },
    async list(project, type, listing) {
      return (await table.query(partition(project, type), listing)).map((item) => MemberRecord.parse(item));
    },
  };
}
