/**
 * Rows of erasures of projects, and what they look for: everything in the table that is a project's. Only reading the whole
 * table tells that, as a partition's name begins with the project but no index does.
 */
import { type DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { ErasureRecord } from "../schemas/retention.ts";
import { type Changes, type Item, type Key, type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface Erasures {
  get(organization: string, project: string): Promise<ErasureRecord | undefined>;
  /** False where it was asked for before. */
  create(record: ErasureRecord, also: readonly TransactWrite[]): Promise<boolean>;
  due(now: number, limit: number): Promise<ErasureRecord[]>;
  /** The record as it is then, to be looked at again at `due`, in milliseconds, null: never; undefined where it was changed meanwhile. */
  change(
    record: ErasureRecord,
    changes: Partial<ErasureRecord>,
    due: number | null,
  ): Promise<ErasureRecord | undefined>;
  /** A part of the table: what of it is the project's, and where the next part begins; undefined: that was all. */
  look(project: string, cursor: string | null): Promise<{ rows: Item[]; cursor: string | null }>;
  remove(rows: readonly Item[]): Promise<void>;
}

const kind = "erasure";
const { partition: workKind, sort: dueTime } = tableSchema.workIndex;
const sortable = (milliseconds: number) => new Date(milliseconds).toISOString();
const keyOf = (organization: string, project: string): Key => ({ pk: `${organization}#erasure`, sk: project });
/** Read at once; a page holds no more than a megabyte anyway. */
const page = 1000;

export function createErasures(client: DynamoDBDocumentClient, table: Table, name: string): Erasures {
  return {
    async get(organization, project) {
      const item = await table.get(keyOf(organization, project));
      return item && ErasureRecord.parse(item);
    },
    create(record, also) {
      const item = { ...record, [workKind]: kind, [dueTime]: sortable(Date.now()) };
      return table.transact([
        { type: "create", key: keyOf(record.organization_id, record.erased_project), item },
        ...also,
      ]);
    },
    async due(now, limit) {
      return (await table.dueWork(kind, sortable(now), limit)).map((item) => ErasureRecord.parse(item));
    },
    async change(record, changes, due) {
      const revision = record.revision + 1;
      const work: Changes =
        due === null ? { [workKind]: undefined, [dueTime]: undefined } : { [dueTime]: sortable(due) };
      const key = keyOf(record.organization_id, record.erased_project);
      const condition = { expression: "revision = :read", values: { ":read": record.revision } };
      const held = await table.update(key, { ...changes, ...work, revision }, condition);
      return held ? { ...record, ...changes, revision } : undefined;
    },
    async look(project, cursor) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new ScanCommand({
          TableName: name,
          ConsistentRead: true,
          Limit: page,
          FilterExpression:
            "begins_with(pk, :own) OR project_id = :project OR owner_project_id = :project OR sk = :project",
          ExpressionAttributeValues: { ":own": `${project}#`, ":project": project },
          ...(cursor !== null && { ExclusiveStartKey: JSON.parse(cursor) }),
        }),
      );
      // Its own row, and the audit log's lines, are the organization's.
      const rows = Items.filter(({ pk }) => !/#(erasure|audit_log)$/.test(String(pk)));
      return { rows, cursor: LastEvaluatedKey ? JSON.stringify(LastEvaluatedKey) : null };
    },
    async remove(rows) {
      for (const { pk, sk } of rows) await table.delete({ pk: String(pk), sk: String(sk) });
    },
  };
}
