/**
 * Rows of a noun that are found in several ways. The row lies in the noun's partition; each index has a partition for
 * each of its values, with a pointer of nothing but keys, so that no copy can be stale. One transaction writes them all.
 */
import { hash } from "node:crypto";
import { type Item, type Key, type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface IndexedRow {
  id: string;
  project_id: string;
  /** Unix time in seconds from which on it counts as gone; null: never. */
  expires_at: number | null;
}

export interface IndexedNoun<Row extends IndexedRow, Index extends string> {
  /** Names the partition behind the project, such as `inference`. */
  noun: string;
  parse(item: Item): Row;
  /** The value by which each index finds the row; null: not at all. */
  indexes(row: Row): Record<Index, string | null>;
}

export interface StreamOptions<Index extends string> {
  /** Only what this index has under this value. */
  by?: { index: Index; value: string } | undefined;
  /** The row, there or not, behind which to begin. */
  after?: string | undefined;
  descending?: boolean;
  /** Read at once. */
  page?: number;
}

export interface IndexedRows<Row extends IndexedRow, Index extends string> {
  keyOf(row: Pick<IndexedRow, "project_id" | "id">): Key;
  pointerTo(row: IndexedRow, index: Index, value: string): TransactWrite;
  /** Pointers to it. */
  pointers(row: Row): TransactWrite[];
  /** The row as the table has it, with its time to live. */
  itemOf(row: Row): Item;
  /** For the row and its pointers. */
  deletes(row: Row): TransactWrite[];
  get(project: string, id: string): Promise<Row | undefined>;
  /** In the order of the ids; without those that are gone. */
  getMany(project: string, ids: readonly string[]): Promise<Row[]>;
  /** By id. */
  stream(project: string, options?: StreamOptions<Index>): AsyncGenerator<Row>;
}

const usualPage = 100;
/** Characters: a key holds 2,048 bytes. */
const longestInKey = 256;

export const timeToLiveOf = (expires_at: number | null): Item =>
  expires_at === null ? {} : { [tableSchema.timeToLive]: expires_at };

/** DynamoDB may take days to drop what has expired. */
export const isLive = ({ expires_at }: Pick<IndexedRow, "expires_at">) =>
  expires_at === null || expires_at > Date.now() / 1000;

export function createIndexedRows<Row extends IndexedRow, Index extends string>(
  table: Table,
  { noun, parse, indexes }: IndexedNoun<Row, Index>,
): IndexedRows<Row, Index> {
  const partition = (project: string) => `${project}#${noun}`;
  const indexPartition = (project: string, index: Index, value: string) =>
    `${partition(project)}#by#${index}#${value.length > longestInKey ? hash("sha256", value) : value}`;
  const keyOf = ({ project_id, id }: Pick<IndexedRow, "project_id" | "id">) => ({ pk: partition(project_id), sk: id });

  const pointerTo = (row: IndexedRow, index: Index, value: string): TransactWrite => {
    const key = { pk: indexPartition(row.project_id, index, value), sk: row.id };
    return { type: "put", key, item: timeToLiveOf(row.expires_at) };
  };
  const pointers = (row: Row) =>
    Object.entries<string | null>(indexes(row)).flatMap(([index, value]) =>
      value === null ? [] : [pointerTo(row, index as Index, value)],
    );
  const live = (item: Item): Row[] => {
    const row = parse(item);
    return isLive(row) ? [row] : [];
  };
  const getMany = async (project: string, ids: readonly string[]) => {
    const items = await table.getMany(ids.map((id) => keyOf({ project_id: project, id })));
    const rows = new Map(items.flatMap(live).map((row) => [row.id, row]));
    return ids.flatMap((id) => rows.get(id) ?? []);
  };

  return {
    keyOf,
    pointerTo,
    pointers,
    getMany,
    itemOf: (row) => ({ ...row, ...timeToLiveOf(row.expires_at) }),
    deletes: (row) => [
      { type: "delete", key: keyOf(row), condition: { expression: "attribute_exists(sk)" } },
      ...pointers(row).map(({ key }) => ({ type: "delete" as const, key })),
    ],
    async get(project, id) {
      const item = await table.get(keyOf({ project_id: project, id }));
      return item && live(item)[0];
    },
    async *stream(project, { by, after, descending = false, page = usualPage } = {}) {
      const pk = by ? indexPartition(project, by.index, by.value) : partition(project);
      for (let last = after; ; ) {
        const items = await table.query(pk, { limit: page, descending, ...(last !== undefined && { after: last }) });
        const ids = items.map(({ sk }) => String(sk));
        yield* by ? await getMany(project, ids) : items.flatMap(live);
        last = ids.at(-1);
        if (items.length < page) return;
      }
    },
  };
}

/** The first of them. */
export async function take<Row>(rows: AsyncIterable<Row>, count: number): Promise<Row[]> {
  const taken: Row[] = [];
  for await (const row of rows) if (taken.push(row) >= count) break;
  return taken;
}
