/** What Millrace relies on in DynamoDB: items, conditions, batches, time to live and table changes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  type PutCommandInput,
  paginateQuery,
  type QueryCommandInput,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { eventually, onAws, openCloud } from "./cloud.ts";
import { keySchema, openTable } from "./table.ts";

await openCloud();
const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client);
const TableName = await openTable(client);

type Document = Record<string, unknown>;

function put(Item: Document, more: Partial<PutCommandInput> = {}) {
  return documents.send(new PutCommand({ TableName, Item, ...more }));
}

async function get(pk: string, sk = "1"): Promise<Document | undefined> {
  return (await documents.send(new GetCommand({ TableName, Key: { pk, sk }, ConsistentRead: true }))).Item;
}

function increment(pk: string, condition: Partial<{ ConditionExpression: string }> = {}) {
  return documents.send(
    new UpdateCommand({
      TableName,
      Key: { pk, sk: "1" },
      UpdateExpression: "ADD #count :one",
      ExpressionAttributeNames: { "#count": "count" },
      ExpressionAttributeValues: { ":one": 1 },
      ...condition,
    }),
  );
}

/** The items of each page. */
async function pages(query: Omit<QueryCommandInput, "TableName">): Promise<Document[][]> {
  const result: Document[][] = [];
  for await (const { Items = [] } of paginateQuery({ client: documents }, { TableName, ...query })) result.push(Items);
  return result;
}

describe("items", () => {
  it("keep numbers, nesting, sets and bytes", async () => {
    const item = {
      pk: "types",
      sk: "1",
      number: 1.5,
      map: { list: [1, "x", null, true] },
      set: new Set(["p", "q"]),
      bytes: new Uint8Array([1, 2]),
    };
    await put(item);
    assert.deepEqual(await get("types"), item);
  });

  it("are created once under attribute_not_exists", async () => {
    await put({ pk: "once", sk: "1", v: 1 });
    const again = put({ pk: "once", sk: "1", v: 2 }, { ConditionExpression: "attribute_not_exists(pk)" });
    await assert.rejects(again, { name: "ConditionalCheckFailedException" });
    assert.equal((await get("once"))?.v, 1);
  });

  it("come with a failed condition when asked for", async () => {
    await put({ pk: "old", sk: "1", v: 1 });
    const failing = put(
      { pk: "old", sk: "1" },
      { ConditionExpression: "attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" },
    );
    await assert.rejects(failing, (error: { name: string; Item?: unknown }) => {
      assert.equal(error.name, "ConditionalCheckFailedException");
      assert.deepEqual(error.Item, { pk: { S: "old" }, sk: { S: "1" }, v: { N: "1" } });
      return true;
    });
  });

  it("change by update expressions and return what they became", async () => {
    await put({ pk: "update", sk: "1", map: { list: [0] }, tags: new Set(["p"]), gone: 1 });
    const { Attributes } = await documents.send(
      new UpdateCommand({
        TableName,
        Key: { pk: "update", sk: "1" },
        UpdateExpression:
          "SET #v = if_not_exists(#v, :zero) + :one, #map.#list[0] = :one, words = list_append(if_not_exists(words, :none), :word) ADD hits :one, tags :tag REMOVE gone",
        ExpressionAttributeNames: { "#v": "version", "#map": "map", "#list": "list" },
        ExpressionAttributeValues: {
          ":zero": 0,
          ":one": 1,
          ":none": [],
          ":word": ["x"],
          ":tag": new Set(["r"]),
        },
        ReturnValues: "ALL_NEW",
      }),
    );
    const expected = { version: 1, map: { list: [1] }, words: ["x"], hits: 1, tags: new Set(["p", "r"]) };
    assert.deepEqual(Attributes, { pk: "update", sk: "1", ...expected });
  });

  it("let exactly one of 20 racers pass a version check", async () => {
    await put({ pk: "race", sk: "1", count: 0 });
    const update = () =>
      documents.send(
        new UpdateCommand({
          TableName,
          Key: { pk: "race", sk: "1" },
          UpdateExpression: "SET version = :next",
          ConditionExpression: "attribute_not_exists(version)",
          ExpressionAttributeValues: { ":next": 1 },
        }),
      );
    const results = await Promise.allSettled(Array.from({ length: 20 }, update));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  });

  it("lose none of 200 concurrent increments", async () => {
    await Promise.all(Array.from({ length: 200 }, () => increment("counter")));
    assert.equal((await get("counter"))?.count, 200);
  });

  it("may not exceed 400 KB", async () => {
    const large = put({ pk: "large", sk: "1", v: "x".repeat(410_000) });
    await assert.rejects(large, { name: "ValidationException" });
  });

  it("are returned by the delete that removes them", async () => {
    await put({ pk: "deleted", sk: "1", v: 1 });
    const Key = { pk: "deleted", sk: "1" };
    const { Attributes } = await documents.send(new DeleteCommand({ TableName, Key, ReturnValues: "ALL_OLD" }));
    assert.deepEqual(Attributes, { ...Key, v: 1 });
    assert.equal(await get("deleted"), undefined);
  });
});

describe("batches", () => {
  it("write 25 items and read several", async () => {
    const writes = Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: { pk: "batch", sk: String(i) } } }));
    const written = await documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: writes } }));
    assert.deepEqual(written.UnprocessedItems, {});
    const Keys = ["1", "2", "99"].map((sk) => ({ pk: "batch", sk }));
    const { Responses } = await documents.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys } } }));
    assert.deepEqual(Responses?.[TableName]?.map(({ sk }) => sk).sort(), ["1", "2"]);
  });

  it("put and delete index entries too", async () => {
    const item = { pk: "batch-index", sk: "1", gsi2pk: "B", gsi2sk: "1" };
    const found = () =>
      pages({ IndexName: "gsi2", KeyConditionExpression: "gsi2pk = :b", ExpressionAttributeValues: { ":b": "B" } });
    const send = (request: object) =>
      documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: [request] } }));
    await send({ PutRequest: { Item: item } });
    await eventually(async () => assert.deepEqual((await found()).flat(), [item]));
    await send({ DeleteRequest: { Key: { pk: item.pk, sk: item.sk } } });
    await eventually(async () => assert.deepEqual((await found()).flat(), []));
  });
});

describe("time to live", () => {
  it("is set and described", async () => {
    const TimeToLiveSpecification = { AttributeName: "ttl", Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    assert.equal(TimeToLiveDescription?.AttributeName, "ttl");
    assert.match(TimeToLiveDescription?.TimeToLiveStatus ?? "", /^ENABL(ED|ING)$/);
  });

  it("deletes items past their time, and no others", { skip: onAws && "AWS may take days" }, async () => {
    const now = Math.floor(Date.now() / 1000);
    await put({ pk: "ttl", sk: "future", ttl: now + 3600 });
    await put({ pk: "ttl", sk: "past", ttl: now - 5 });
    await eventually(async () => assert.equal(await get("ttl", "past"), undefined));
    assert.equal((await get("ttl", "future"))?.ttl, now + 3600);
  });
});

describe("table changes", () => {
  it("add an index over the items already there", async () => {
    await put({ pk: "indexed", sk: "1", rank: 7 });
    const AttributeDefinitions = [
      { AttributeName: "pk", AttributeType: "S" as const },
      { AttributeName: "rank", AttributeType: "N" as const },
    ];
    const Create = {
      IndexName: "gsi3",
      KeySchema: keySchema("pk", "rank"),
      Projection: { ProjectionType: "ALL" as const },
    };
    const GlobalSecondaryIndexUpdates = [{ Create }];
    await client.send(new UpdateTableCommand({ TableName, AttributeDefinitions, GlobalSecondaryIndexUpdates }));
    await eventually(async () => {
      const { Table } = await client.send(new DescribeTableCommand({ TableName }));
      const index = Table?.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === "gsi3");
      assert.equal(index?.IndexStatus, "ACTIVE");
    }, 900);
    await put({ pk: "indexed", sk: "2", rank: 3 });
    const ExpressionAttributeValues = { ":p": "indexed" };
    await eventually(async () => {
      const found = await pages({ IndexName: "gsi3", KeyConditionExpression: "pk = :p", ExpressionAttributeValues });
      assert.deepEqual(
        found.flat().map(({ rank }) => rank),
        [3, 7],
      );
    });
  });
});

describe("PartiQL", () => {
  const select = () =>
    client.send(new ExecuteStatementCommand({ Statement: `SELECT * FROM "${TableName}" WHERE pk = 'once'` }));

  it("selects items", { skip: !onAws && "a known gap of the local cloud" }, async () => {
    assert.equal((await select()).Items?.length, 1);
  });

  it("is refused by name locally", { skip: onAws && "AWS has it" }, async () => {
    await assert.rejects(select(), { name: "UnknownOperationException", message: /ExecuteStatement/ });
  });
});
