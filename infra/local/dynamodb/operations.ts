/** Every operation this server has; what the table does not name is refused. */
import type { Call, JsonObject } from "../awsJson.ts";
import { act, validate } from "./dynalite.ts";
import type { Engine } from "./engine.ts";
import { unknownOperation } from "./errors.ts";
import { batchWriteItem, writeItem } from "./itemWrites.ts";
import { createTable, deleteTable, listTables, updateTable } from "./tables.ts";
import { describeTimeToLive, updateTimeToLive } from "./timeToLive.ts";
import { transactGetItems, transactWriteItems } from "./transactions.ts";

type Operation = (engine: Engine, input: JsonObject) => Promise<JsonObject>;

function byDynalite(operation: string): Operation {
  return ({ store }, input) => act(store, operation, validate(store, operation, input));
}

function write(operation: string): Operation {
  return (engine, input) => writeItem(engine, operation, input);
}

const operations: Record<string, Operation> = {
  CreateTable: createTable,
  DescribeTable: byDynalite("DescribeTable"),
  DeleteTable: deleteTable,
  ListTables: listTables,
  UpdateTable: updateTable,
  TagResource: byDynalite("TagResource"),
  UntagResource: byDynalite("UntagResource"),
  ListTagsOfResource: byDynalite("ListTagsOfResource"),
  GetItem: byDynalite("GetItem"),
  BatchGetItem: byDynalite("BatchGetItem"),
  Query: byDynalite("Query"),
  Scan: byDynalite("Scan"),
  PutItem: write("PutItem"),
  UpdateItem: write("UpdateItem"),
  DeleteItem: write("DeleteItem"),
  BatchWriteItem: batchWriteItem,
  TransactWriteItems: transactWriteItems,
  TransactGetItems: transactGetItems,
  UpdateTimeToLive: updateTimeToLive,
  DescribeTimeToLive: describeTimeToLive,
};

/** Runs the operation that the call names. Throws UnknownOperationException. */
export function runOperation(engine: Engine, { operation, input }: Call): Promise<JsonObject> {
  const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (!run) throw unknownOperation(operation);
  return run(engine, input);
}
