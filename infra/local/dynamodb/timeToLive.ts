/** Time to live: its setting per table, and the sweep that deletes expired items and their index entries. */
import type { JsonObject } from "../awsJson.ts";
import { findTable, type Item, promised, type Table } from "./dynalite.ts";
import type { Engine } from "./engine.ts";
import { isConditionalCheckFailure, validationError } from "./errors.ts";
import { writeItem } from "./itemWrites.ts";
import { tableItems, tableNames } from "./keyspace.ts";

type Setting = { Enabled: boolean; AttributeName: string };

/** DynamoDB leaves items alone whose time is further back than this: they are taken for mistakes. */
const fiveYearsInSeconds = 5 * 365 * 24 * 3600;

function readSetting({ store }: Engine, table: string): Promise<Setting | undefined> {
  return promised<unknown>((callback) => store.getTagDb("~ttl").get(table, callback)) as Promise<Setting | undefined>;
}

export async function updateTimeToLive(engine: Engine, input: JsonObject): Promise<JsonObject> {
  const TimeToLiveSpecification = input.TimeToLiveSpecification as Setting | undefined;
  const { TableName } = await findTable(engine.store, String(input.TableName));
  if (!TimeToLiveSpecification?.AttributeName) throw validationError("TimeToLiveSpecification needs an AttributeName");
  const enabled = (await readSetting(engine, TableName))?.Enabled ?? false;
  if (enabled === TimeToLiveSpecification.Enabled) {
    throw validationError(`TimeToLive is already ${enabled ? "enabled" : "disabled"}`);
  }
  await promised<void>((callback) => engine.store.getTagDb("~ttl").put(TableName, TimeToLiveSpecification, callback));
  return { TimeToLiveSpecification };
}

export async function describeTimeToLive(engine: Engine, input: JsonObject): Promise<JsonObject> {
  const { TableName } = await findTable(engine.store, String(input.TableName));
  const setting = await readSetting(engine, TableName);
  const description = setting?.Enabled
    ? { TimeToLiveStatus: "ENABLED", AttributeName: setting.AttributeName }
    : { TimeToLiveStatus: "DISABLED" };
  return { TimeToLiveDescription: description };
}

/** A table made anew under the same name starts without the setting. */
export async function forgetTimeToLive({ store }: Engine, table: string): Promise<void> {
  await promised<void>((callback) => store.getTagDb("~ttl").del(table, callback));
}

function isExpired(item: Item, attribute: string): boolean {
  const seconds = Number(item[attribute]?.N);
  const now = Date.now() / 1000;
  return seconds < now && seconds > now - fiveYearsInSeconds;
}

/** On the condition that its time is still the one seen, so that an item prolonged meanwhile stays. */
async function expire(engine: Engine, table: Table, item: Item, attribute: string): Promise<void> {
  const input = {
    TableName: table.TableName,
    Key: Object.fromEntries(table.KeySchema.map(({ AttributeName: name }) => [name, item[name]])),
    ConditionExpression: "#time = :seen",
    ExpressionAttributeNames: { "#time": attribute },
    ExpressionAttributeValues: { ":seen": item[attribute] },
  };
  try {
    await writeItem(engine, "DeleteItem", input);
  } catch (error) {
    if (!isConditionalCheckFailure(error)) throw error;
  }
}

export async function sweepExpired(engine: Engine): Promise<void> {
  for (const name of await tableNames(engine.store)) {
    const setting = await readSetting(engine, name);
    if (!setting?.Enabled) continue;
    const table = await findTable(engine.store, name);
    for await (const item of tableItems(engine.store, name)) {
      if (isExpired(item, setting.AttributeName)) await expire(engine, table, item, setting.AttributeName);
    }
  }
}
