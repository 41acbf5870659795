/** What Millrace relies on in DynamoDB's queries, indexes and scans. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
  paginateScan,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { eventually, openCloud } from "./cloud.ts";
import { openTable } from "./table.ts";

await openCloud();
const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client);
const TableName = await openTable(client);

type Document = Record<string, unknown>;

function put(Item: Document) {
  return documents.send(new PutCommand({ TableName, Item }));
}

/** The items of each page. */
async function pages(query: Omit<QueryCommandInput, "TableName">): Promise<Document[][]> {
  const result: Document[][] = [];
  for await (const { Items = [] } of paginateQuery({ client: documents }, { TableName, ...query })) result.push(Items);
  return result;
}

describe("queries", () => {
  before(async () => {
    for (let i = 0; i < 25; i++) {
      const sk = `r#${String(i).padStart(3, "0")}`;
      await put({ pk: "q", sk, gsi1pk: "G", gsi1sk: String(100 - i).padStart(3, "0"), i });
    }
    await eventually(async () => assert.equal((await pages(byIndex("G"))).flat().length, 25));
  });

  function byIndex(partition: string): Omit<QueryCommandInput, "TableName"> {
    return {
      IndexName: "gsi1",
      KeyConditionExpression: "gsi1pk = :g",
      ExpressionAttributeValues: { ":g": partition },
    };
  }

  it("page backwards through a sort key prefix", async () => {
    const result = await pages({
      KeyConditionExpression: "pk = :p and begins_with(sk, :s)",
      ExpressionAttributeValues: { ":p": "q", ":s": "r#" },
      Limit: 10,
      ScanIndexForward: false,
    });
    assert.deepEqual(
      result.flat().map(({ i }) => i),
      Array.from({ length: 25 }, (_, i) => 24 - i),
    );
    assert.deepEqual(
      result.map((page) => page.length),
      [10, 10, 5],
    );
  });

  it("of an index sort, filter and project", async () => {
    const { Items } = await documents.send(
      new QueryCommand({
        TableName,
        IndexName: "gsi1",
        KeyConditionExpression: "gsi1pk = :g and gsi1sk between :a and :b",
        FilterExpression: "i > :i and contains(sk, :c)",
        ProjectionExpression: "i",
        ExpressionAttributeValues: { ":g": "G", ":a": "000", ":b": "999", ":i": 20, ":c": "r#" },
      }),
    );
    assert.deepEqual(Items, [{ i: 24 }, { i: 23 }, { i: 22 }, { i: 21 }]);
  });

  it("of an index page", async () => {
    const found = (await pages({ ...byIndex("G"), Limit: 7 })).flat();
    assert.equal(new Set(found.map(({ sk }) => sk)).size, 25);
  });

  it("of an index follow an item whose index key changes", async () => {
    await put({ pk: "mover", sk: "1", gsi1pk: "before", gsi1sk: "1" });
    await put({ pk: "mover", sk: "1", gsi1pk: "after", gsi1sk: "1" });
    await eventually(async () => {
      assert.deepEqual((await pages(byIndex("before"))).flat(), []);
      assert.equal((await pages(byIndex("after"))).flat().length, 1);
    });
  });

  it("return 2,000 items that were written 50 at a time", async () => {
    const indices = Array.from({ length: 2000 }, (_, index) => index);
    for (let start = 0; start < 2000; start += 50) {
      const chunk = indices.slice(start, start + 50);
      await Promise.all(chunk.map((index) => put({ pk: "many", sk: String(index), v: "x".repeat(200) })));
    }
    const found = await pages({ KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": "many" } });
    assert.equal(found.flat().length, 2000);
  });

  it("cover every item once when a scan runs in parallel segments", async () => {
    const expected = (
      await pages({ KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": "q" } })
    ).flat();
    const segment = async (Segment: number) => {
      const keys: unknown[] = [];
      const scan = { TableName, Segment, TotalSegments: 2, ConsistentRead: true };
      for await (const { Items = [] } of paginateScan({ client: documents }, scan)) {
        keys.push(...Items.filter(({ pk }) => pk === "q").map(({ sk }) => sk));
      }
      return keys;
    };
    const scanned = (await Promise.all([segment(0), segment(1)])).flat();
    assert.deepEqual(scanned.sort(), expected.map(({ sk }) => sk).sort());
  });
});
