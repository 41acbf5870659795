/** Every operation asks several times what its table is: that is read from disk once, and again when it has changed. */
import type { Level, Store, Table } from "./dynalite.ts";
import { tableKey } from "./keyspace.ts";

const isTable = (key: string) => key.startsWith(tableKey(""));

/** Makes a store remember its tables. Whoever asks gets a copy: dynalite's actions write into what they are given. */
export function rememberTables(store: Store): void {
  const known = new Map<string, Table>();
  let changes = 0;
  whenTablesChange(store.db, () => {
    changes++;
    known.clear();
  });
  const { getTable } = store;
  store.getTable = (name, checkStatus, callback) => {
    // As dynalite's actions call it.
    if (typeof checkStatus === "function") return store.getTable(name, false, checkStatus);
    const table = known.get(name);
    if (table) return void setImmediate(callback, null, structuredClone(table));
    const before = changes;
    getTable(name, checkStatus, (error, found) => {
      // What is on its way to something else says so; what was read while it changed may be what was before.
      if (found?.TableStatus === "ACTIVE" && before === changes) known.set(name, structuredClone(found));
      callback(error, found);
    });
  };
}

/** Tells of every write to a table's description, before it and behind it. */
function whenTablesChange(db: Level, tell: () => void): void {
  const { put, del, batch } = db;
  const told = <Callback extends (...results: never[]) => void>(callback: Callback) => {
    tell();
    return ((...results) => {
      tell();
      callback(...results);
    }) as Callback;
  };
  Object.assign(db, {
    put: (key, value, callback) => put.call(db, key, value, isTable(key) ? told(callback) : callback),
    del: (key, callback) => del.call(db, key, isTable(key) ? told(callback) : callback),
    batch: (writes, callback) =>
      batch.call(db, writes, writes.some(({ key }) => isTable(key)) ? told(callback) : callback),
  } satisfies Pick<Level, "put" | "del" | "batch">);
}
