/**
 * The typed door to dynalite's internals: its store, validations and actions, without its HTTP server. Nothing is
 * forked; https://github.com/architect/dynalite has the sources behind these types.
 */
import { createRequire } from "node:module";
import type { JsonObject } from "../awsJson.ts";
import { fromDynalite, validationError } from "./errors.ts";
import { readAtOnce } from "./quickReads.ts";
import { rememberTables } from "./rememberedTables.ts";

/** On the wire: `{ S: "text" }`, `{ N: "1" }` and so on. */
export type AttributeValue = Record<string, unknown>;
export type Item = Record<string, AttributeValue>;
type KeySchema = { AttributeName: string; KeyType: string }[];
export type Index = {
  IndexName: string;
  KeySchema: KeySchema;
  Projection: JsonObject;
  IndexStatus?: string;
  [other: string]: unknown;
};
export type Table = {
  TableName: string;
  TableStatus: string;
  KeySchema: KeySchema;
  AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
  GlobalSecondaryIndexes?: Index[];
  [other: string]: unknown;
};

type Callback<T> = (error: unknown, value?: T) => void;
export type Write = { type: "put" | "del"; key: string; value?: unknown };
/** A part of the one LevelDB, whose keys all begin with the part's prefix. */
export type SubDatabase = {
  lock(key: string, locked: (release: (done: () => void) => () => void) => void): void;
  get(key: string, callback: Callback<unknown>): void;
  put(key: string, value: unknown, callback: Callback<void>): void;
  del(key: string, callback: Callback<void>): void;
};
type Range = { gte: string; lt: string };
export type Level = {
  readonly status: string;
  getSync(key: string): unknown;
  get(key: string, callback: Callback<unknown>): void;
  put(key: string, value: unknown, callback: Callback<void>): void;
  del(key: string, callback: Callback<void>): void;
  batch(writes: Write[], callback: Callback<void>): void;
  clear(range: Range): Promise<void>;
  keys(range: Range): AsyncIterable<string>;
  values(range: Range): AsyncIterable<unknown>;
};
export type Store = {
  db: Level;
  tableDb: SubDatabase;
  getTable(name: string, checkStatus: boolean | Callback<Table>, callback: Callback<Table>): void;
  getItemDb(table: string): SubDatabase;
  getIndexDb(type: string, table: string, index: string): SubDatabase;
  getTagDb(name: string): SubDatabase;
  deleteItemDb(table: string, callback: Callback<void>): void;
  deleteIndexDb(type: string, table: string, index: string, callback: Callback<void>): void;
  deleteTagDb(name: string, callback: Callback<void>): void;
  lifecycleManager: { gracefulClose(callback: Callback<void>): void };
};

type Database = {
  create(options: { path: string; createTableMs: number; deleteTableMs: number; updateTableMs: number }): Store;
  createKey(keyOrItem: Item, table: Table): string;
  validateKey(key: Item, table: Table): unknown;
  validateItem(item: Item, table: Table): unknown;
  checkConditional(data: JsonObject, existing: Item | undefined): unknown;
  getIndexActions(
    indexes: Index[],
    old: Item | undefined,
    item: Item,
    table: Table,
  ): { puts: { key: string; item: Item }[] };
};
type Types = Record<string, unknown>;
type Validations = {
  checkTypes(data: JsonObject, types: Types): JsonObject;
  checkValidations(data: JsonObject, types: Types, custom: unknown, store: Store): void;
};
type Action = (store: Store, data: JsonObject, callback: Callback<JsonObject>) => void;

const require = createRequire(import.meta.url);
const database: Database = require("dynalite/db");
const validations: Validations = require("dynalite/validations");

function fileName(operation: string): string {
  return operation.charAt(0).toLowerCase() + operation.slice(1);
}

/** Turns a callback into a promise; what LevelDB calls not found is undefined. */
export function promised<T>(call: (callback: Callback<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error && (error as Error).name !== "NotFoundError") reject(fromDynalite(error));
      else if (error && (error as { statusCode?: number }).statusCode) reject(fromDynalite(error));
      else resolve(value);
    });
  });
}

export function openStore(path: string): Store {
  const store = database.create({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  readAtOnce(store.db);
  rememberTables(store);
  return store;
}

/**
 * Members that only say explicitly what this server does anyway. Any other member that dynalite would drop without a
 * word is refused.
 */
const harmless: Record<string, (value: unknown) => boolean> = {
  // Of Scan: every read here is consistent.
  ConsistentRead: () => true,
  DeletionProtectionEnabled: (value) => value === false,
  StreamSpecification: (value) => (value as { StreamEnabled?: boolean }).StreamEnabled === false,
  TableClass: (value) => value === "STANDARD",
};

/** Checks input as dynalite does and returns it parsed. Throws ValidationException and its kin. */
export function validate(store: Store, operation: string, input: JsonObject): JsonObject {
  const { types, custom }: { types: Types; custom: unknown } = require(`dynalite/validations/${fileName(operation)}`);
  const unknown = Object.keys(input).find((name) => !(name in types) && !harmless[name]?.(input[name]));
  if (unknown) throw validationError(`The local DynamoDB server does not implement ${unknown} of ${operation}.`);
  try {
    const data = validations.checkTypes({ ...input }, types);
    validations.checkValidations(data, types, custom, store);
    return data;
  } catch (error) {
    throw fromDynalite(error);
  }
}

/** Runs a dynalite action on validated input. */
export async function act(store: Store, operation: string, data: JsonObject): Promise<JsonObject> {
  const action: Action = require(`dynalite/actions/${fileName(operation)}`);
  return (await promised<JsonObject>((callback) => action(store, data, callback))) ?? {};
}

/** Throws ResourceNotFoundException. */
export async function findTable(store: Store, name: string): Promise<Table> {
  return (await promised<Table>((callback) => store.getTable(name, true, callback))) as Table;
}

/** The key under which the item of validated input lies. Throws ValidationException when it does not fit the schema. */
export function itemKey(data: JsonObject, table: Table): string {
  const { Item, Key } = data as { Item?: Item; Key?: Item };
  const invalid = Item ? database.validateItem(Item, table) : database.validateKey(Key ?? {}, table);
  if (invalid) throw fromDynalite(invalid);
  return database.createKey(Item ?? Key ?? {}, table);
}

/** Whether the condition in validated input holds for the existing item. Throws when it is malformed. */
export function conditionHolds(data: JsonObject, existing: Item | undefined): boolean {
  return !database.checkConditional(data, existing);
}

/** What the index must hold for an item: nothing, if the item lacks the index's keys or has them of another type. */
export function indexEntries(table: Table, index: Index, item: Item): { key: string; item: Item }[] {
  const typeOf = (name: string) =>
    table.AttributeDefinitions.find((entry) => entry.AttributeName === name)?.AttributeType;
  const fits = index.KeySchema.every(({ AttributeName: name }) => item[name]?.[typeOf(name) ?? ""] !== undefined);
  return fits ? database.getIndexActions([index], undefined, item, table).puts : [];
}
