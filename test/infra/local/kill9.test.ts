/** kill -9 in the middle of writes loses nothing that was acknowledged, and shows nothing that is broken. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import {
  CreateTableCommand,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  paginateScan,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { type Clients, type CloudProcess, clientsOf, startProcess, temporaryHome } from "./clouds.ts";

const Bucket = "kill9-bucket";
const QueueName = "kill9-queue";
const TableName = "kill9-table";
const smallBytes = 64 * 1024;
const largeBytes = 2 * 1024 ** 2;

/** What was acknowledged, by the number that identifies each write. */
type Acknowledged = {
  small: Set<number>;
  large: Set<number>;
  messages: Set<number>;
  items: Set<number>;
  pairs: Set<number>;
};

function payload(size: number, number: number): Buffer {
  return Buffer.alloc(size, number % 251);
}

async function setUp({ s3, sqs, dynamodb }: Clients): Promise<string> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "gsi"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "gsi",
          KeySchema: [
            { AttributeName: "gsi", KeyType: "HASH" },
            { AttributeName: "pk", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  return (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? "";
}

function item(pk: string) {
  return { TableName, Item: { pk: { S: pk }, gsi: { S: "all" } } };
}

function writers(
  { s3, sqs, dynamodb }: Clients,
  QueueUrl: string,
): Record<keyof Acknowledged, (n: number) => Promise<unknown>> {
  const object = (size: number) => (n: number) =>
    s3.send(new PutObjectCommand({ Bucket, Key: `${size}/${n}`, Body: payload(size, n) }));
  return {
    small: object(smallBytes),
    large: object(largeBytes),
    messages: (n) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: String(n) })),
    items: (n) => dynamodb.send(new PutItemCommand(item(`item-${n}`))),
    pairs: (n) =>
      dynamodb.send(
        new TransactWriteItemsCommand({
          TransactItems: ["a", "b"].map((side) => ({ Put: item(`pair-${n}-${side}`) })),
        }),
      ),
  };
}

/** Two writers per kind, until every kind has been acknowledged often enough; the kill then hits them mid-write. */
async function writeUntilKilled(cloud: CloudProcess, clients: Clients, QueueUrl: string): Promise<Acknowledged> {
  const acknowledged: Acknowledged = {
    small: new Set(),
    large: new Set(),
    messages: new Set(),
    items: new Set(),
    pairs: new Set(),
  };
  let killed: Promise<unknown> | undefined;
  const killWhenBusy = () => {
    if (Object.values(acknowledged).every(({ size }) => size >= 15)) killed ??= cloud.kill("SIGKILL");
  };
  const write = async (kind: keyof Acknowledged, act: (n: number) => Promise<unknown>, first: number) => {
    for (let n = first; !killed; n += 2) {
      try {
        await act(n);
        acknowledged[kind].add(n);
        killWhenBusy();
      } catch (error) {
        if (!killed) throw error;
      }
    }
  };
  const kinds = Object.entries(writers(clients, QueueUrl)) as [keyof Acknowledged, (n: number) => Promise<unknown>][];
  await Promise.all(kinds.flatMap(([kind, act]) => [write(kind, act, 0), write(kind, act, 1)]));
  await killed;
  return acknowledged;
}

/** Every visible object is whole, whether it was acknowledged or not. */
async function verifyObjects({ s3 }: Clients, acknowledged: Acknowledged): Promise<void> {
  const visible = new Set<string>();
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket })) {
    for (const { Key = "" } of Contents) visible.add(Key);
  }
  for (const n of acknowledged.small) assert.ok(visible.has(`${smallBytes}/${n}`), `small object ${n} is lost`);
  for (const n of acknowledged.large) assert.ok(visible.has(`${largeBytes}/${n}`), `large object ${n} is lost`);
  for (const Key of visible) {
    const [size, n] = Key.split("/").map(Number);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const bytes = await Body?.transformToByteArray();
    assert.ok(payload(size ?? 0, n ?? 0).equals(bytes ?? Buffer.alloc(0)), `object ${Key} is corrupt`);
  }
}

async function verifyMessages({ sqs }: Clients, acknowledged: Acknowledged): Promise<void> {
  // The URL of before names the old port; by its path the restarted server still finds the queue.
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
  const found = new Set<number>();
  for (;;) {
    const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 });
    const { Messages = [] } = await sqs.send(receive);
    if (!Messages.length) break;
    for (const { Body } of Messages) found.add(Number(Body));
  }
  for (const n of acknowledged.messages) assert.ok(found.has(n), `message ${n} is lost`);
}

async function verifyItems({ dynamodb }: Clients, acknowledged: Acknowledged): Promise<void> {
  for (const n of acknowledged.items) {
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: `item-${n}` } } }));
    assert.ok(Item, `item ${n} is lost`);
  }
  const stored = new Set<string>();
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName })) {
    for (const { pk } of Items) stored.add(pk?.S ?? "");
  }
  for (const n of acknowledged.pairs) assert.ok(stored.has(`pair-${n}-a`), `pair ${n} is lost`);
  for (const pk of stored) {
    if (pk.startsWith("pair-"))
      assert.ok(stored.has(pk.replace(/[ab]$/, pk.endsWith("a") ? "b" : "a")), `${pk} is half`);
  }
  const query = {
    TableName,
    IndexName: "gsi",
    KeyConditionExpression: "gsi = :all",
    ExpressionAttributeValues: { ":all": { S: "all" } },
  };
  let indexed = 0;
  for await (const { Count = 0 } of paginateQuery({ client: dynamodb }, query)) indexed += Count;
  assert.equal(indexed, stored.size, "the index and the table differ");
}

async function verifyNoOrphans(home: string): Promise<void> {
  const database = new DatabaseSync(join(home, "s3", "s3.db"), { readOnly: true });
  const referenced = database.prepare("select json_extract(segments, '$[0].blob') as blob from objects").all();
  database.close();
  const files = await readdir(join(home, "s3", "blobs"));
  assert.deepEqual(files.sort(), referenced.map(({ blob }) => String(blob)).sort());
}

describe("kill -9", () => {
  for (const round of [1, 2]) {
    it(`loses no acknowledged write, round ${round}`, async (t) => {
      const home = await temporaryHome();
      const before = await startProcess(home);
      const clients = clientsOf(before);
      const acknowledged = await writeUntilKilled(before, clients, await setUp(clients));
      const after = await startProcess(home);
      await verifyNoOrphans(home);
      const survivors = clientsOf(after);
      await verifyObjects(survivors, acknowledged);
      await verifyMessages(survivors, acknowledged);
      await verifyItems(survivors, acknowledged);
      assert.equal(await after.kill("SIGTERM"), 0);
      t.diagnostic(
        Object.entries(acknowledged)
          .map(([kind, { size }]) => `${kind} ${size}`)
          .join(", "),
      );
    });
  }
});
