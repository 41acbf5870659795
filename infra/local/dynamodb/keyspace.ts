/** Where things lie in the one LevelDB, and ranges of it; dynalite itself would scan the whole database for these. */
import type { Item, Store } from "./dynalite.ts";

export function itemPrefix(table: string): string {
  return `item-${table}~`;
}

export function indexPrefix(type: string, table: string, index: string): string {
  return `index-${type.toLowerCase()}~${table}~${index}~`;
}

export function tagPrefix(name: string): string {
  return `tag-${name}~`;
}

export function tableKey(table: string): string {
  return `table~${table}`;
}

function range(prefix: string): { gte: string; lt: string } {
  return { gte: prefix, lt: `${prefix}\xff` };
}

export async function tableNames({ db }: Store): Promise<string[]> {
  const prefix = tableKey("");
  const names: string[] = [];
  for await (const key of db.keys(range(prefix))) names.push(key.slice(prefix.length));
  return names;
}

/** Every item of a table, as of now: LevelDB iterates over a snapshot. */
export function tableItems({ db }: Store, table: string): AsyncIterable<Item> {
  return db.values(range(itemPrefix(table))) as AsyncIterable<Item>;
}

export async function* tagValues<T>({ db }: Store, name: string): AsyncGenerator<[key: string, value: T]> {
  const prefix = tagPrefix(name);
  for await (const key of db.keys(range(prefix))) {
    const values = db.values({ gte: key, lt: `${key}\x00` }) as AsyncIterable<T>;
    for await (const value of values) yield [key.slice(prefix.length), value];
  }
}

/** Makes table deletion clear ranges instead of reading every key of the database. */
export function deleteByRange(store: Store): void {
  const clear = (prefix: string, done: (error: unknown) => void) => {
    store.db.clear(range(prefix)).then(() => done(null), done);
  };
  store.deleteItemDb = (table, done) => clear(itemPrefix(table), done);
  store.deleteIndexDb = (type, table, index, done) => clear(indexPrefix(type, table, index), done);
  store.deleteTagDb = (name, done) => clear(tagPrefix(name), done);
}
