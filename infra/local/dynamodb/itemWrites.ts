/** PutItem, UpdateItem, DeleteItem and BatchWriteItem: dynalite's actions, made atomic with their index entries. */
import { AwsJsonError, type JsonObject } from "../awsJson.ts";
import { act, findTable, type Item, itemKey, promised, type Store, validate } from "./dynalite.ts";
import type { Engine } from "./engine.ts";
import { isConditionalCheckFailure, validationError } from "./errors.ts";
import type { ItemLock } from "./locks.ts";
import { createOverlay } from "./overlay.ts";

export async function readItem(store: Store, { table, key }: ItemLock): Promise<Item | undefined> {
  return (await promised<unknown>((callback) => store.getItemDb(table).get(key, callback))) as Item | undefined;
}

/** ReturnValuesOnConditionCheckFailure, which dynalite does not know: whether the old item goes with the error. */
export function wantsOldItem(value: unknown): boolean {
  if (value !== undefined && value !== "NONE" && value !== "ALL_OLD") {
    throw validationError("ReturnValuesOnConditionCheckFailure must be NONE or ALL_OLD");
  }
  return value === "ALL_OLD";
}

async function withOldItem(error: unknown, store: Store, lock: ItemLock): Promise<unknown> {
  const old = isConditionalCheckFailure(error) ? await readItem(store, lock) : undefined;
  if (!old || !(error instanceof AwsJsonError)) return error;
  return new AwsJsonError(String(error.body.__type), error.message, { details: { Item: old } });
}

/** Runs PutItem, UpdateItem or DeleteItem. */
export async function writeItem({ store, locks }: Engine, operation: string, input: JsonObject): Promise<JsonObject> {
  const { ReturnValuesOnConditionCheckFailure, ...known } = input;
  const returnsOld = wantsOldItem(ReturnValuesOnConditionCheckFailure);
  const data = validate(store, operation, known);
  const table = String(data.TableName);
  const lock = { table, key: itemKey(data, await findTable(store, table)) };
  return locks.withItems([lock], async () => {
    const overlay = createOverlay(store);
    try {
      const result = await act(overlay.store, operation, data);
      await overlay.commit();
      return result;
    } catch (error) {
      throw returnsOld ? await withOldItem(error, store, lock) : error;
    }
  });
}

type WriteRequest = { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } };

async function batchLocks(store: Store, requests: Record<string, WriteRequest[]>): Promise<ItemLock[]> {
  const locks: ItemLock[] = [];
  for (const [name, writes] of Object.entries(requests)) {
    const table = await findTable(store, name);
    const keys = writes.map(({ PutRequest, DeleteRequest }) => itemKey({ ...PutRequest, ...DeleteRequest }, table));
    if (new Set(keys).size < keys.length) throw validationError("Provided list of item keys contains duplicates");
    locks.push(...keys.map((key) => ({ table: name, key })));
  }
  return locks;
}

/** All or nothing, which is more than DynamoDB promises; UnprocessedItems is always empty. */
export async function batchWriteItem({ store, locks }: Engine, input: JsonObject): Promise<JsonObject> {
  const data = validate(store, "BatchWriteItem", input);
  const items = await batchLocks(store, data.RequestItems as Record<string, WriteRequest[]>);
  return locks.withItems(items, async () => {
    const overlay = createOverlay(store);
    const result = await act(overlay.store, "BatchWriteItem", data);
    await overlay.commit();
    return result;
  });
}
