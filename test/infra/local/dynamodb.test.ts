/** What is particular to the local DynamoDB server: what survives a restart, and what it refuses. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ListTablesCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { type LocalCloud, startLocalCloud } from "../../../infra/local/cloud.ts";
import { clientsOf, temporaryHome } from "./clouds.ts";

const home = await temporaryHome();
let cloud: LocalCloud;
let client: DynamoDBClient;
let documents: DynamoDBDocumentClient;

async function start(): Promise<void> {
  cloud = await startLocalCloud({ home });
  client = clientsOf(cloud).dynamodb;
  documents = DynamoDBDocumentClient.from(client);
}
await start();
after(() => cloud.close());

function createTable(TableName: string, more: object = {}) {
  return client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      ...more,
    }),
  );
}

async function count(TableName: string): Promise<unknown> {
  return (await documents.send(new GetCommand({ TableName, Key: { pk: "counter" } }))).Item?.count;
}

describe("a restart", () => {
  it("keeps tables, items and time to live", async () => {
    const TableName = "kept";
    await createTable(TableName);
    const TimeToLiveSpecification = { AttributeName: "ttl", Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    await documents.send(new PutCommand({ TableName, Item: { pk: "counter", count: 1 } }));
    await cloud.close();
    await start();
    assert.equal(await count(TableName), 1);
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    assert.deepEqual(TimeToLiveDescription, { TimeToLiveStatus: "ENABLED", AttributeName: "ttl" });
  });

  it("does not apply a transaction twice when it is retried with its token", async () => {
    const TableName = "retried";
    await createTable(TableName);
    const retry = () =>
      documents.send(
        new TransactWriteCommand({
          ClientRequestToken: "the-same-token",
          TransactItems: [
            {
              Update: {
                TableName,
                Key: { pk: "counter" },
                UpdateExpression: "ADD #count :one",
                ExpressionAttributeNames: { "#count": "count" },
                ExpressionAttributeValues: { ":one": 1 },
              },
            },
          ],
        }),
      );
    await retry();
    await cloud.close();
    await start();
    await retry();
    assert.equal(await count(TableName), 1);
  });
});

describe("tables", () => {
  it("made anew under an old name are empty and have no time to live", async () => {
    const TableName = "again";
    await createTable(TableName);
    const TimeToLiveSpecification = { AttributeName: "ttl", Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    await documents.send(new PutCommand({ TableName, Item: { pk: "counter", count: 1 } }));
    await client.send(new DeleteTableCommand({ TableName }));
    await createTable(TableName);
    assert.equal(await count(TableName), undefined);
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    assert.equal(TimeToLiveDescription?.TimeToLiveStatus, "DISABLED");
  });

  it("are listed in pages", async () => {
    for (const name of ["page-a", "page-b"]) await createTable(name);
    const first = await client.send(new ListTablesCommand({ ExclusiveStartTableName: "page-", Limit: 1 }));
    assert.deepEqual(first.TableNames, ["page-a"]);
    const next = { ExclusiveStartTableName: first.LastEvaluatedTableName, Limit: 1 };
    assert.deepEqual((await client.send(new ListTablesCommand(next))).TableNames, ["page-b"]);
  });
});

describe("what is not implemented is refused by name", () => {
  it("as an operation", async () => {
    const call = client.send(new DescribeContinuousBackupsCommand({ TableName: "kept" }));
    await assert.rejects(call, { name: "UnknownOperationException", message: /DescribeContinuousBackups/ });
  });

  it("as a parameter", async () => {
    const call = createTable("refused", { StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" } });
    await assert.rejects(call, { name: "ValidationException", message: /StreamSpecification of CreateTable/ });
  });
});
