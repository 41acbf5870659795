/** What is particular to the local SQS server: fairness, retention, restarts on another port, and what it refuses. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { localCredentials, localRegion } from "../../../infra/local/credentials.ts";
import type { Listener } from "../../../infra/local/listen.ts";
import { startSqs } from "../../../infra/local/sqs/server.ts";
import { temporaryHome } from "./clouds.ts";

const file = join(await temporaryHome(), "sqs.db");
/** How far the server's clock is ahead, in milliseconds. */
let ahead = 0;
let server: Listener;
let sqs: SQSClient;

async function start(): Promise<void> {
  server = await startSqs(file, 0, () => Date.now() + ahead);
  sqs = new SQSClient({ endpoint: server.url, region: localRegion, credentials: localCredentials, maxAttempts: 1 });
}
await start();
after(() => server.close());

async function createQueue(QueueName: string, Attributes: Record<string, string> = {}): Promise<string> {
  return (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? "";
}

function send(QueueUrl: string, MessageBody: string, MessageGroupId?: string) {
  return sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId }));
}

async function receive(QueueUrl: string, MaxNumberOfMessages = 1) {
  return (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages }))).Messages ?? [];
}

describe("a fair queue", () => {
  it("does not let a group of many delay a group of one", async () => {
    const queue = await createQueue("fair-latecomer");
    for (let n = 0; n < 50; n++) await send(queue, `noisy-${n}`, "noisy");
    await receive(queue, 5);
    await send(queue, "quiet", "quiet");
    const [next] = await receive(queue);
    assert.equal(next?.Body, "quiet");
  });

  it("takes turns among groups, counting what each has in flight", async () => {
    const queue = await createQueue("fair-turns");
    for (const [group, count] of Object.entries({ a: 4, b: 2, c: 1 })) {
      for (let n = 0; n < count; n++) await send(queue, `${group}${n}`, group);
    }
    const taken = (await receive(queue, 2)).concat(await receive(queue, 5));
    assert.deepEqual(
      taken.map(({ Body }) => Body),
      ["a0", "b0", "c0", "a1", "b1", "a2", "a3"],
    );
  });

  it("gives a group its turn back when its messages are done", async () => {
    const queue = await createQueue("fair-done");
    for (const body of ["a0", "a1"]) await send(queue, body, "a");
    const [first] = await receive(queue);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: first?.ReceiptHandle }));
    await send(queue, "b0", "b");
    const [second] = await receive(queue);
    assert.equal(second?.Body, "a1");
  });
});

describe("retention", () => {
  it("drops messages older than the queue's period", async () => {
    const queue = await createQueue("retention", { MessageRetentionPeriod: "60" });
    await send(queue, "old");
    ahead += 30_000;
    await send(queue, "young");
    ahead += 31_000;
    const messages = await receive(queue, 10);
    assert.deepEqual(
      messages.map(({ Body }) => Body),
      ["young"],
    );
  });
});

describe("a restart", () => {
  it("keeps queues and messages, found by URLs that name the port of before", async () => {
    const queue = await createQueue("restarted");
    await send(queue, "kept");
    await server.close();
    await start();
    assert.notEqual(new URL(queue).port, new URL(server.url).port);
    const moved = new URL(new URL(queue).pathname, server.url).href;
    assert.equal((await receive(moved))[0]?.Body, "kept");
  });
});

describe("what is not implemented is refused by name", () => {
  it("as an operation", async () => {
    const call = sqs.send(new ListMessageMoveTasksCommand({ SourceArn: "arn" }));
    await assert.rejects(call, { name: "UnknownOperationException", message: /ListMessageMoveTasks/ });
  });

  it("as a parameter", async () => {
    const QueueUrl = await createQueue("refused");
    const call = sqs.send(new ReceiveMessageCommand({ QueueUrl, ReceiveRequestAttemptId: "x" }));
    await assert.rejects(call, { name: "UnsupportedOperation", message: /ReceiveRequestAttemptId of ReceiveMessage/ });
  });

  it("as a queue attribute", async () => {
    const call = createQueue("refused-attribute", { KmsMasterKeyId: "x" });
    await assert.rejects(call, { name: "InvalidAttributeName", message: /KmsMasterKeyId/ });
  });
});
