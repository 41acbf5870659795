/** Item locks, taken in one global order so that transactions cannot deadlock, and a gate for changing a whole table. */
import type { Store } from "./dynalite.ts";

export type ItemLock = { table: string; key: string };

function compare(a: ItemLock, b: ItemLock): number {
  if (a.table !== b.table) return a.table < b.table ? -1 : 1;
  return a.key < b.key ? -1 : Number(a.key > b.key);
}

export class Locks {
  readonly #store: Store;
  readonly #writing = new Map<string, Set<Promise<unknown>>>();
  readonly #changing = new Map<string, Promise<unknown>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Runs `body` while it alone may write these items. Locks must name each item once. */
  async withItems<T>(locks: ItemLock[], body: () => Promise<T>): Promise<T> {
    const tables = [...new Set(locks.map((lock) => lock.table))];
    for (let change = this.#change(tables); change; change = this.#change(tables)) await change;
    const run = this.#holding([...locks].sort(compare), body);
    for (const table of tables) this.#track(table, run);
    return run;
  }

  /** Runs `body` while nobody writes to the table: after those who do have finished, before those who come later. */
  async withTable<T>(table: string, body: () => Promise<T>): Promise<T> {
    for (let change = this.#change([table]); change; change = this.#change([table])) await change;
    const run = Promise.all(this.#writing.get(table) ?? []).then(body);
    const settled = run.catch(() => {}).finally(() => this.#changing.delete(table));
    this.#changing.set(table, settled);
    return run;
  }

  #change(tables: string[]): Promise<unknown> | undefined {
    return tables.map((table) => this.#changing.get(table)).find(Boolean);
  }

  #track(table: string, run: Promise<unknown>): void {
    const runs = this.#writing.get(table) ?? new Set();
    const settled = run.catch(() => {}).finally(() => runs.delete(settled));
    this.#writing.set(table, runs.add(settled));
  }

  async #holding<T>(locks: ItemLock[], body: () => Promise<T>): Promise<T> {
    const releases: (() => void)[] = [];
    try {
      for (const { table, key } of locks) {
        await new Promise<void>((resolve) => {
          this.#store.getItemDb(table).lock(key, (release) => {
            releases.push(release(() => {}));
            resolve();
          });
        });
      }
      return await body();
    } finally {
      for (const release of releases) release();
    }
  }
}
