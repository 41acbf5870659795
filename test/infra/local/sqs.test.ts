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

  const done = (QueueUrl: string, ReceiptHandle: string | undefined) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));

  it("lets a group that was not worked for go before one that was, with a single consumer, too", async () => {
    const queue = await createQueue("fair-alone");
    for (let n = 0; n < 5; n++) await send(queue, `a${n}`, "a");
    await done(queue, (await receive(queue))[0]?.ReceiptHandle);
    await send(queue, "b0", "b");
    const bodies: unknown[] = [];
    for (let n = 0; n < 3; n++) {
      const [message] = await receive(queue);
      bodies.push(message?.Body);
      await done(queue, message?.ReceiptHandle);
    }
    assert.deepEqual(bodies, ["b0", "a1", "a2"]);
  });

  it("counts the time that messages took, not their number, and forgets it", async () => {
    const queue = await createQueue("fair-time");
    for (const body of ["a0", "a1"]) await send(queue, body, "slow");
    const [slow] = await receive(queue);
    ahead += 20_000;
    await done(queue, slow?.ReceiptHandle);
    for (let n = 0; n < 3; n++) {
      await send(queue, `quick-${n}`, "quick");
      const [message] = await receive(queue);
      assert.equal(message?.Body, `quick-${n}`);
      await done(queue, message?.ReceiptHandle);
    }
    ahead += 6 * 60_000;
    await send(queue, "quick-3", "quick");
    assert.equal((await receive(queue))[0]?.Body, "a1");
  });

  it("holds what has no group for groups of their own", async () => {
    const queue = await createQueue("fair-ungrouped");
    for (const body of ["n0", "n1"]) await send(queue, body);
    await send(queue, "a0", "a");
    assert.deepEqual(
      (await receive(queue, 3)).map(({ Body }) => Body),
      ["n0", "n1", "a0"],
    );
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
