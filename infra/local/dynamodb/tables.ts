/** CreateTable, DeleteTable, ListTables and UpdateTable, where dynalite is slow or incomplete. */
import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../awsJson.ts";
import { act, findTable, type Index, indexEntries, promised, type Table, validate, type Write } from "./dynalite.ts";
import type { Engine } from "./engine.ts";
import { dynamoError, validationError } from "./errors.ts";
import { indexPrefix, tableItems, tableKey, tableNames } from "./keyspace.ts";
import { forgetTimeToLive } from "./timeToLive.ts";

type IndexUpdate = { Create?: Index; Delete?: { IndexName: string } };

/** dynalite ends a table's change on a timer. Waiting for it here makes the next request find the outcome. */
async function settled({ store }: Engine, name: string): Promise<void> {
  const changing = async () => {
    const table = await promised<unknown>((callback) => store.tableDb.get(name, callback));
    return table !== undefined && (table as Table).TableStatus !== "ACTIVE";
  };
  while (await changing()) await delay(1);
}

/** The answer says CREATING, as on AWS, but the table is active by then. */
export async function createTable(engine: Engine, input: JsonObject): Promise<JsonObject> {
  const data = validate(engine.store, "CreateTable", input);
  const result = structuredClone(await act(engine.store, "CreateTable", data));
  await settled(engine, String(data.TableName));
  return result;
}

export async function deleteTable(engine: Engine, input: JsonObject): Promise<JsonObject> {
  const data = validate(engine.store, "DeleteTable", input);
  const name = String(data.TableName);
  const result = await engine.locks.withTable(name, () => act(engine.store, "DeleteTable", data));
  await settled(engine, name);
  await forgetTimeToLive(engine, name);
  return result;
}

export async function listTables({ store }: Engine, input: JsonObject): Promise<JsonObject> {
  const { ExclusiveStartTableName: after = "", Limit = 100 } = validate(store, "ListTables", input);
  const rest = (await tableNames(store)).filter((name) => name > String(after));
  const TableNames = rest.slice(0, Number(Limit));
  return { TableNames, ...(rest.length > TableNames.length ? { LastEvaluatedTableName: TableNames.at(-1) } : {}) };
}

/** A created index is filled before the answer and active at once; on AWS it takes minutes. */
export async function updateTable(engine: Engine, input: JsonObject): Promise<JsonObject> {
  const { GlobalSecondaryIndexUpdates: updates = [], AttributeDefinitions = [], TableName, ...others } = input;
  const [update, ...more] = updates as IndexUpdate[];
  if (!update?.Create && !update?.Delete) {
    return act(engine.store, "UpdateTable", validate(engine.store, "UpdateTable", input));
  }
  if (more.length || Object.keys(others).length) {
    throw validationError("The local DynamoDB server creates or deletes one index at a time, with no other change.");
  }
  const name = String(TableName);
  return engine.locks.withTable(name, async () => {
    const table = await findTable(engine.store, name);
    if (update.Create)
      await createIndex(engine, table, update.Create, AttributeDefinitions as Table["AttributeDefinitions"]);
    else await deleteIndex(engine, table, update.Delete?.IndexName ?? "");
    return { TableDescription: table };
  });
}

async function createIndex(
  { store }: Engine,
  table: Table,
  index: Index,
  given: Table["AttributeDefinitions"],
): Promise<void> {
  const indexes = table.GlobalSecondaryIndexes ?? [];
  if (indexes.some((existing) => existing.IndexName === index.IndexName)) {
    throw validationError(`Attempting to create an index which already exists: ${index.IndexName}`);
  }
  const definitions = new Map([...table.AttributeDefinitions, ...given].map((entry) => [entry.AttributeName, entry]));
  const undefinedKey = index.KeySchema.find(({ AttributeName }) => !definitions.has(AttributeName));
  if (undefinedKey) throw validationError(`Index key ${undefinedKey.AttributeName} has no attribute definition`);
  table.AttributeDefinitions = [...definitions.values()];
  const prefix = indexPrefix("Global", table.TableName, index.IndexName);
  const writes: Write[] = [];
  for await (const item of tableItems(store, table.TableName)) {
    for (const { key, item: entry } of indexEntries(table, index, item)) {
      writes.push({ type: "put", key: prefix + key, value: entry });
    }
  }
  table.GlobalSecondaryIndexes = [...indexes, describeNew(table, index)];
  writes.push({ type: "put", key: tableKey(table.TableName), value: table });
  await promised<void>((callback) => store.db.batch(writes, callback));
}

function describeNew(table: Table, index: Index): Index {
  return {
    ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 },
    ...index,
    IndexStatus: "ACTIVE",
    IndexArn: `${table.TableArn}/index/${index.IndexName}`,
    IndexSizeBytes: 0,
    ItemCount: 0,
  };
}

async function deleteIndex({ store }: Engine, table: Table, name: string): Promise<void> {
  const left = (table.GlobalSecondaryIndexes ?? []).filter((index) => index.IndexName !== name);
  if (left.length === (table.GlobalSecondaryIndexes ?? []).length) {
    throw dynamoError("ResourceNotFoundException", `Requested resource not found: Index: ${name} not found`);
  }
  table.GlobalSecondaryIndexes = left.length ? left : undefined;
  await promised<void>((callback) => store.tableDb.put(table.TableName, table, callback));
  await promised<void>((callback) => store.deleteIndexDb("Global", table.TableName, name, callback));
}
