/** The table of the DynamoDB contract tests: a partition and a sort key, and two global secondary indexes. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  type DynamoDBClient,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { atEnd, onAws, uniqueName } from "./cloud.ts";

const attributes = ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"];

export function keySchema(partition: string, sort: string): CreateTableCommandInput["KeySchema"] {
  return [
    { AttributeName: partition, KeyType: "HASH" },
    { AttributeName: sort, KeyType: "RANGE" },
  ];
}

/** Creates a table that is deleted when the file's tests are through. Returns its name. */
export async function openTable(client: DynamoDBClient): Promise<string> {
  const TableName = uniqueName("table");
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: attributes.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: keySchema("pk", "sk"),
      GlobalSecondaryIndexes: ["gsi1", "gsi2"].map((IndexName) => ({
        IndexName,
        KeySchema: keySchema(`${IndexName}pk`, `${IndexName}sk`),
        Projection: { ProjectionType: "ALL" },
      })),
      StreamSpecification: { StreamEnabled: false },
    }),
  );
  const delays = { minDelay: onAws ? 2 : 1, maxDelay: onAws ? 10 : 1, maxWaitTime: 120 };
  await waitUntilTableExists({ client, ...delays }, { TableName });
  atEnd(async () => void (await client.send(new DeleteTableCommand({ TableName }))));
  return TableName;
}
