/** What every DynamoDB operation works on, and how it is opened, repaired and closed. */
import { act, openStore, promised, type Store, type Table } from "./dynalite.ts";
import { deleteByRange, tableNames } from "./keyspace.ts";
import { Locks } from "./locks.ts";

export type Engine = { store: Store; locks: Locks; close(): Promise<void> };

/** Table changes take two writes with a timer between; one that a kill interrupted is brought to its end. */
async function finishTableChanges(store: Store): Promise<void> {
  for (const name of await tableNames(store)) {
    const table = (await promised<Table>((callback) => store.getTable(name, false, callback))) as Table;
    if (table.TableStatus === "ACTIVE") continue;
    const deleting = table.TableStatus === "DELETING";
    table.TableStatus = "ACTIVE";
    for (const index of table.GlobalSecondaryIndexes ?? []) index.IndexStatus = "ACTIVE";
    await promised<void>((callback) => store.tableDb.put(name, table, callback));
    if (deleting) await act(store, "DeleteTable", { TableName: name });
  }
}

export async function openEngine(folder: string): Promise<Engine> {
  const store = openStore(folder);
  deleteByRange(store);
  await finishTableChanges(store);
  return {
    store,
    locks: new Locks(store),
    close: async () => void (await promised<void>((callback) => store.lifecycleManager.gracefulClose(callback))),
  };
}
