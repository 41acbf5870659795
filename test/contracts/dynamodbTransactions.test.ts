/** What Millrace relies on in DynamoDB's transactions. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { DynamoDBClient, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactGetCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { eventually, openCloud } from "./cloud.ts";
import { openTable } from "./table.ts";

await openCloud();
const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client);
const TableName = await openTable(client);

type Item = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];

function transact(items: Item[], ClientRequestToken?: string) {
  return documents.send(new TransactWriteCommand({ TransactItems: items, ClientRequestToken }));
}

function put(pk: string, more: object = {}): Item {
  return { Put: { TableName, Item: { pk, sk: "1", ...more } } };
}

function increment(pk: string): Item {
  return {
    Update: {
      TableName,
      Key: { pk, sk: "1" },
      UpdateExpression: "ADD c :one",
      ExpressionAttributeValues: { ":one": 1 },
    },
  };
}

async function get(pk: string): Promise<Record<string, unknown> | undefined> {
  return (await documents.send(new GetCommand({ TableName, Key: { pk, sk: "1" }, ConsistentRead: true }))).Item;
}

describe("transactions", () => {
  it("put, update, delete and check together, index entries included", async () => {
    for (const pk of ["removed", "checked"]) {
      await documents.send(new PutCommand({ TableName, Item: { pk, sk: "1", version: 2 } }));
    }
    await transact([
      put("put", { gsi1pk: "TX", gsi1sk: "1" }),
      increment("updated"),
      { Delete: { TableName, Key: { pk: "removed", sk: "1" } } },
      {
        ConditionCheck: {
          TableName,
          Key: { pk: "checked", sk: "1" },
          ConditionExpression: "version = :v",
          ExpressionAttributeValues: { ":v": 2 },
        },
      },
    ]);
    assert.equal((await get("updated"))?.c, 1);
    assert.equal(await get("removed"), undefined);
    const query = {
      IndexName: "gsi1",
      KeyConditionExpression: "gsi1pk = :g",
      ExpressionAttributeValues: { ":g": "TX" },
    };
    await eventually(async () => {
      const { Items } = await documents.send(new QueryCommand({ TableName, ...query }));
      assert.deepEqual(Items, [{ pk: "put", sk: "1", gsi1pk: "TX", gsi1sk: "1" }]);
    });
  });

  it("write nothing when a condition fails, and say which", async () => {
    await documents.send(new PutCommand({ TableName, Item: { pk: "there", sk: "1" } }));
    const failing: Item = {
      Put: {
        TableName,
        Item: { pk: "there", sk: "1" },
        ConditionExpression: "attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    };
    await assert.rejects(transact([put("partial"), failing]), (error: unknown) => {
      assert.ok(error instanceof TransactionCanceledException);
      assert.deepEqual(
        error.CancellationReasons?.map(({ Code }) => Code),
        ["None", "ConditionalCheckFailed"],
      );
      assert.deepEqual(error.CancellationReasons?.[1]?.Item, { pk: { S: "there" }, sk: { S: "1" } });
      return true;
    });
    assert.equal(await get("partial"), undefined);
  });

  it("lose no update among 20 that race on one item", async () => {
    const racers = Array.from({ length: 20 }, (_, racer) => transact([increment("race"), put(`racer-${racer}`)]));
    const results = await Promise.allSettled(racers);
    const won = results.flatMap(({ status }, racer) => (status === "fulfilled" ? [racer] : []));
    assert.ok(won.length >= 1);
    assert.equal((await get("race"))?.c, won.length);
    for (let racer = 0; racer < 20; racer++) {
      assert.equal((await get(`racer-${racer}`)) !== undefined, won.includes(racer));
    }
  });

  it("apply once for one client request token", async () => {
    const token = randomUUID();
    await transact([increment("idempotent")], token);
    await transact([increment("idempotent")], token);
    assert.equal((await get("idempotent"))?.c, 1);
    await assert.rejects(transact([increment("other")], token), { name: "IdempotentParameterMismatchException" });
  });

  it("may not name an item twice", async () => {
    await assert.rejects(transact([put("twice"), put("twice")]), { name: "ValidationException" });
  });

  it("read items together", async () => {
    await documents.send(new PutCommand({ TableName, Item: { pk: "read", sk: "1", version: 2 } }));
    const TransactItems = ["read", "missing"].map((pk) => ({ Get: { TableName, Key: { pk, sk: "1" } } }));
    const { Responses } = await documents.send(new TransactGetCommand({ TransactItems }));
    assert.deepEqual(
      Responses?.map(({ Item }) => Item?.version),
      [2, undefined],
    );
  });
});
