/** Rows of aliases, and one of each move: both are written at once, so that the history tells all. */
import { newId } from "../ids.ts";
import { AliasMove, AliasRecord, aliasNamePattern } from "../schemas/alias.ts";
import type { Project } from "../schemas/project.ts";
import type { Table } from "./table.ts";

/** Who moves it, and why. */
export interface Moving {
  moved_by: string;
  reason: string | null;
}

export interface Aliases {
  /** False when the name is taken. */
  create(record: AliasRecord, by: Moving): Promise<boolean>;
  /** False unless it still means what `record` says. */
  move(record: AliasRecord, to: string, by: Moving): Promise<boolean>;
  /** Undefined also for what could be no name, without asking the table. */
  get(project: string, name: string): Promise<AliasRecord | undefined>;
  /** By name. */
  list(project: string): Promise<AliasRecord[]>;
  /** Newest first; those of an alias that is gone, too. */
  moves(project: string, name: string, options: { limit: number; after?: string }): Promise<AliasMove[]>;
  /** False when there was none. */
  delete(record: AliasRecord, by: Moving): Promise<boolean>;
}

const everyAlias = 10_000;
const partition = (project: string) => `${project}#alias`;
const keyOf = ({ project_id, name }: Pick<AliasRecord, "project_id" | "name">) => ({
  pk: partition(project_id),
  sk: name,
});
const movesOf = (project: Project["id"], name: string) => `${project}#alias_move#${name}`;

export function createAliases(table: Table): Aliases {
  const moveWrite = ({ project_id, name }: AliasRecord, from: string | null, to: string | null, by: Moving) => {
    const item: AliasMove = {
      id: newId("alias_move"),
      object: "alias.move",
      alias: name,
      from,
      to,
      ...by,
      created_at: Math.floor(Date.now() / 1000),
    };
    return { type: "create" as const, key: { pk: movesOf(project_id, name), sk: item.id }, item };
  };
  return {
    create: (record, by) =>
      table.transact([{ type: "create", key: keyOf(record), item: record }, moveWrite(record, null, record.model, by)]),
    move(record, to, by) {
      const write = moveWrite(record, record.model, to, by);
      const condition = {
        expression: "#model = :from",
        names: { "#model": "model" },
        values: { ":from": record.model },
      };
      const changes = { model: to, moved_at: write.item.created_at };
      return table.transact([{ type: "update", key: keyOf(record), changes, condition }, write]);
    },
    async get(project_id, name) {
      const item = aliasNamePattern.test(name) ? await table.get(keyOf({ project_id, name })) : undefined;
      return item && AliasRecord.parse(item);
    },
    async list(project) {
      return (await table.query(partition(project), { limit: everyAlias })).map((item) => AliasRecord.parse(item));
    },
    async moves(project, name, options) {
      if (!aliasNamePattern.test(name)) return [];
      const items = await table.query(movesOf(project, name), { ...options, descending: true });
      return items.map((item) => AliasMove.parse(item));
    },
    delete(record, by) {
      const condition = { expression: "attribute_exists(sk)" };
      return table.transact([
        { type: "delete", key: keyOf(record), condition },
        moveWrite(record, record.model, null, by),
      ]);
    },
  };
}
