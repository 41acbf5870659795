/**
 * The door to the one DynamoDB table. A partition is one noun of one project (`proj_…#file`), the sort key is the id,
 * and ids sort by creation time; so every list is one query and `after` is simply a key.
 */
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";

/** What the local cloud and the CDK stack both create. The sparse index lists jobs that a worker should be busy with. */
export const tableSchema = {
  keys: { partition: "pk", sort: "sk" },
  workIndex: { name: "work", partition: "work_kind", sort: "redeliver_at" },
  timeToLive: "expires_at_ttl",
} as const;

export interface Key {
  pk: string;
  sk: string;
}

/** Values by attribute; `undefined` removes the attribute. */
export type Changes = Record<string, unknown>;

export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Record<string, unknown>;
}

export interface QueryOptions {
  limit: number;
  after?: string;
  descending?: boolean;
  /** Keeps only items whose attributes equal these. */
  equals?: Record<string, unknown>;
}

export type Item = Record<string, unknown>;

export interface Table {
  get(key: Key): Promise<Item | undefined>;
  /** Those that are there, in no order. */
  getMany(keys: readonly Key[]): Promise<Item[]>;
  /** False when an item with this key exists. */
  create(key: Key, item: Item): Promise<boolean>;
  /** False when the condition does not hold. */
  update(key: Key, changes: Changes, condition: Condition): Promise<boolean>;
  /** False when there was nothing to delete. */
  delete(key: Key): Promise<boolean>;
  query(pk: string, options: QueryOptions): Promise<Item[]>;
  dueWork(kind: string, before: string, limit: number): Promise<Item[]>;
  /** All or nothing; false when a condition does not hold. */
  transact(writes: readonly TransactWrite[]): Promise<boolean>;
}

export type TransactWrite =
  | { type: "create"; key: Key; item: Item }
  /** Whether or not there is one. */
  | { type: "put"; key: Key; item: Item }
  | { type: "delete"; key: Key; condition?: Condition }
  | { type: "update"; key: Key; changes: Changes; condition: Condition }
  /** Writes nothing, and fails the others where its condition does not hold. */
  | { type: "check"; key: Key; condition: Condition };

const exists: Condition = { expression: "attribute_exists(pk)" };
const isNew: Condition = { expression: "attribute_not_exists(pk)" };

export function createTable(client: DynamoDBDocumentClient, name: string): Table {
  const whenHeld = async (send: () => Promise<unknown>, isDone: () => Promise<boolean>): Promise<boolean> => {
    try {
      await untilUncontested(send);
      return true;
    } catch (error) {
      if (cancelledBy(error, "ConditionalCheckFailed")) return false;
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Sent more than once, it may have failed on what it wrote itself: that was not heard of.
      return (error.$metadata.attempts ?? 1) > 1 && isDone();
    }
  };
  const get: Table["get"] = async (key) =>
    (await client.send(new GetCommand({ TableName: name, Key: key, ConsistentRead: true }))).Item;
  const has = async (key: Key, changes: Changes) => hasChanges(await get(key), changes);

  return {
    get,
    getMany: (keys) => getMany(client, name, keys),
    create: (key, item) =>
      whenHeld(
        () => client.send(new PutCommand(createInput(name, key, item))),
        () => has(key, item),
      ),
    update: (key, changes, condition) =>
      whenHeld(
        () => client.send(new UpdateCommand(updateInput(name, key, changes, condition))),
        () => has(key, changes),
      ),
    delete: (key) =>
      whenHeld(
        () => client.send(new DeleteCommand({ TableName: name, Key: key, ConditionExpression: exists.expression })),
        async () => (await get(key)) === undefined,
      ),
    query: (pk, options) => collect(client, queryInput(name, pk, options), options.limit),
    dueWork: (kind, before, limit) => collect(client, dueWorkInput(name, kind, before), limit),
    // The SDK gives each a token, so that sent again it is known again.
    transact: (writes) =>
      whenHeld(
        () => sendTogether(client, name, writes),
        async () => false,
      ),
  };
}

/** DynamoDB charges a write of a transaction twice, and one that may be done again needs none. */
function sendTogether(
  client: DynamoDBDocumentClient,
  name: string,
  writes: readonly TransactWrite[],
): Promise<unknown> {
  const items = writes.map((write) => transactItem(name, write));
  const [first, ...others] = items;
  const alone = others.length === 0 && writes[0]?.type === "put" ? first?.Put : undefined;
  return alone ? client.send(new PutCommand(alone)) : client.send(new TransactWriteCommand({ TransactItems: items }));
}

function hasChanges(item: Item | undefined, changes: Changes): boolean {
  return item !== undefined && Object.entries(changes).every(([name, value]) => isSame(item[name], value));
}

/** As far as a table can tell: it keeps nothing that is undefined, and bytes are bytes. */
function isSame(a: unknown, b: unknown): boolean {
  const kept = (value: unknown) => value !== undefined && JSON.parse(JSON.stringify(value, bytesAsText));
  return isDeepStrictEqual(kept(a), kept(b));
}

function bytesAsText(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const kept = this[name];
  return kept instanceof Uint8Array ? Buffer.from(kept).toString("base64") : value;
}

/** DynamoDB's own limit. */
const mostInBatch = 100;

async function getMany(client: DynamoDBDocumentClient, name: string, keys: readonly Key[]): Promise<Item[]> {
  const items: Item[] = [];
  let left = [...keys];
  for (let wait = 10; left.length > 0; wait *= 2) {
    const asked = left.splice(0, mostInBatch);
    const RequestItems = { [name]: { Keys: asked, ConsistentRead: true } };
    const { Responses, UnprocessedKeys } = await client.send(new BatchGetCommand({ RequestItems }));
    items.push(...(Responses?.[name] ?? []));
    const unread = (UnprocessedKeys?.[name]?.Keys ?? []) as Key[];
    left = [...unread, ...left];
    if (unread.length) await pause(wait);
  }
  return items;
}

const mostTries = 8;

/**
 * Two writes of which one is a transaction may meet in the same item; DynamoDB then refuses one of them, though its
 * conditions hold, and the SDK does not send it again.
 */
async function untilUncontested(send: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await send();
      return;
    } catch (error) {
      const met = error instanceof TransactionConflictException || cancelledBy(error, "TransactionConflict");
      const refused = cancelledBy(error, "ConditionalCheckFailed");
      if (!met || refused || tries === mostTries) throw error;
      await pause(Math.random() * 10 * 2 ** tries);
    }
  }
}

function cancelledBy(error: unknown, code: string): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  return error.CancellationReasons?.some((reason) => reason.Code === code) ?? false;
}

function transactItem(name: string, write: TransactWrite) {
  type Entry = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];
  const entries: { [Type in TransactWrite["type"]]: (write: TransactWrite & { type: Type }) => Entry } = {
    create: ({ key, item }) => ({ Put: createInput(name, key, item) }),
    put: ({ key, item }) => ({ Put: { TableName: name, Item: { ...item, ...key } } }),
    delete: ({ key, condition }) => ({
      Delete: { TableName: name, Key: key, ...(condition && whileThere(condition)) },
    }),
    update: ({ key, changes, condition }) => ({ Update: updateInput(name, key, changes, condition) }),
    check: ({ key, condition }) => ({ ConditionCheck: { TableName: name, Key: key, ...whileThere(condition) } }),
  };
  return (entries[write.type] as (write: TransactWrite) => Entry)(write);
}

function whileThere({ expression, names, values }: Condition) {
  return {
    ConditionExpression: `${exists.expression} AND (${expression})`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}

function createInput(name: string, key: Key, item: Item) {
  return { TableName: name, Item: { ...item, ...key }, ConditionExpression: isNew.expression };
}

function updateInput(name: string, key: Key, changes: Changes, condition: Condition) {
  const entries = Object.entries(changes).map(([attribute, value], index) => ({ attribute, value, index }));
  const sets = entries.filter(({ value }) => value !== undefined);
  const removes = entries.filter(({ value }) => value === undefined);
  const clauses = [
    sets.length ? `SET ${sets.map(({ index }) => `#c${index} = :c${index}`).join(", ")}` : "",
    removes.length ? `REMOVE ${removes.map(({ index }) => `#c${index}`).join(", ")}` : "",
  ];
  const values = { ...condition.values, ...Object.fromEntries(sets.map(({ index, value }) => [`:c${index}`, value])) };
  return {
    TableName: name,
    Key: key,
    UpdateExpression: clauses.filter(Boolean).join(" "),
    ConditionExpression: `${exists.expression} AND (${condition.expression})`,
    ExpressionAttributeNames: {
      ...condition.names,
      ...Object.fromEntries(entries.map(({ index, attribute }) => [`#c${index}`, attribute])),
    },
    ...(Object.keys(values).length ? { ExpressionAttributeValues: values } : {}),
  };
}

function queryInput(name: string, pk: string, options: QueryOptions) {
  const filters = Object.entries(options.equals ?? {});
  const after = options.after;
  const beyond = options.descending ? "<" : ">";
  return {
    TableName: name,
    ConsistentRead: true,
    KeyConditionExpression: `pk = :pk${after === undefined ? "" : ` AND sk ${beyond} :after`}`,
    FilterExpression: filters.length
      ? filters.map(([path], i) => `${filterPath(path, i)} = :f${i}`).join(" AND ")
      : undefined,
    ExpressionAttributeNames: filters.length
      ? Object.assign({}, ...filters.map(([path], i) => filterNames(path, i)))
      : undefined,
    ExpressionAttributeValues: {
      ":pk": pk,
      ...(after === undefined ? {} : { ":after": after }),
      ...Object.fromEntries(filters.map(([, value], i) => [`:f${i}`, value])),
    },
    ScanIndexForward: !options.descending,
  };
}

/** `metadata.team` is the attribute `team` inside the map `metadata`; only the first dot parts them. */
function splitPath(path: string): string[] {
  const dot = path.indexOf(".");
  return dot < 0 ? [path] : [path.slice(0, dot), path.slice(dot + 1)];
}

function filterPath(path: string, index: number): string {
  return splitPath(path)
    .map((_, part) => `#f${index}_${part}`)
    .join(".");
}

function filterNames(path: string, index: number): Record<string, string> {
  return Object.fromEntries(splitPath(path).map((name, part) => [`#f${index}_${part}`, name]));
}

function dueWorkInput(name: string, kind: string, before: string) {
  return {
    TableName: name,
    IndexName: tableSchema.workIndex.name,
    KeyConditionExpression: `${tableSchema.workIndex.partition} = :kind AND ${tableSchema.workIndex.sort} <= :before`,
    ExpressionAttributeValues: { ":kind": kind, ":before": before },
  };
}

/** Pages until `limit` items passed the filter: DynamoDB counts its own limit before filtering. */
async function collect(client: DynamoDBDocumentClient, input: Omit<QueryCommand["input"], "Limit">, limit: number) {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page: { Items?: Item[]; LastEvaluatedKey?: Item } = await client.send(
      new QueryCommand({ ...input, ExclusiveStartKey: start, Limit: Math.max(limit, 25) } as QueryCommand["input"]),
    );
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start && items.length < limit);
  return items.slice(0, limit);
}
