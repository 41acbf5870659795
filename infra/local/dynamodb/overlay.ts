/** A store whose writes are collected and then land in one LevelDB batch: items and index entries together, or not at all. */
import { promised, type Store, type SubDatabase, type Write } from "./dynalite.ts";
import { indexPrefix, itemPrefix } from "./keyspace.ts";

export type Overlay = {
  /** Reads its own writes; whoever uses it must hold the locks of the items it touches. */
  store: Store;
  /** Adds a write by its full key. */
  put(key: string, value: unknown): void;
  commit(): Promise<void>;
};

function view(writes: Map<string, Write>, prefix: string, base: SubDatabase): SubDatabase {
  return {
    lock: (_key, locked) => locked((done) => done),
    get(key, callback) {
      const write = writes.get(prefix + key);
      if (write) setImmediate(callback, null, write.value);
      else base.get(key, callback);
    },
    put(key, value, callback) {
      writes.set(prefix + key, { type: "put", key: prefix + key, value });
      setImmediate(callback, null);
    },
    del(key, callback) {
      writes.set(prefix + key, { type: "del", key: prefix + key });
      setImmediate(callback, null);
    },
  };
}

export function createOverlay(base: Store): Overlay {
  const writes = new Map<string, Write>();
  const store: Store = Object.assign(Object.create(base), {
    getItemDb: (table: string) => view(writes, itemPrefix(table), base.getItemDb(table)),
    getIndexDb: (type: string, table: string, index: string) =>
      view(writes, indexPrefix(type, table, index), base.getIndexDb(type, table, index)),
  });
  return {
    store,
    put: (key, value) => void writes.set(key, { type: "put", key, value }),
    async commit() {
      if (writes.size) await promised<void>((callback) => base.db.batch([...writes.values()], callback));
    },
  };
}
