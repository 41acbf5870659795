/** What Millrace relies on in SQS. Every test has its own queue, so that they can wait for time side by side. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { eventually, onAws, openCloud, uniqueName } from "./cloud.ts";
import { nothing, openQueue, type TestQueue } from "./queue.ts";

await openCloud();
const sqs = new SQSClient({});

function setVisibility(queue: TestQueue, ReceiptHandle: string | undefined, VisibilityTimeout: number) {
  return sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout }));
}

describe("queues", { concurrency: true }, () => {
  it("are found by name and listed by prefix", async () => {
    const { name, url } = await openQueue(sqs);
    assert.equal((await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl, url);
    await eventually(async () => {
      const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: name }));
      assert.deepEqual(QueueUrls, [url]);
    });
  });

  it("are created again with the same attributes, and only those", async () => {
    const { name, url } = await openQueue(sqs, { VisibilityTimeout: "40" });
    const create = (VisibilityTimeout: string) =>
      sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout } }));
    assert.equal((await create("40")).QueueUrl, url);
    await assert.rejects(create("50"), { name: "QueueNameExists" });
  });

  it("answer QueueDoesNotExist when missing", async () => {
    const missing = new GetQueueUrlCommand({ QueueName: uniqueName("missing") });
    await assert.rejects(sqs.send(missing), { name: "QueueDoesNotExist" });
  });

  it("take new attributes", async () => {
    const queue = await openQueue(sqs);
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { VisibilityTimeout: "60" } }));
    await eventually(async () => assert.equal((await queue.attributes()).VisibilityTimeout, "60"));
  });

  it("count messages waiting and in flight, until purged", async () => {
    const queue = await openQueue(sqs);
    const counts = async () => {
      const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = await queue.attributes();
      return [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible];
    };
    await queue.send("1");
    await queue.send("2");
    await queue.receiveAll(1, { MaxNumberOfMessages: 1 });
    await eventually(async () => assert.deepEqual(await counts(), ["1", "1"]));
    await sqs.send(new PurgeQueueCommand({ QueueUrl: queue.url }));
    await eventually(async () => assert.deepEqual(await counts(), ["0", "0"]));
  });
});

describe("messages", { concurrency: true }, () => {
  it("carry a trace header beside their own attributes, which do not hold it", async () => {
    const queue = await openQueue(sqs);
    const StringValue = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const MessageSystemAttributes = { AWSTraceHeader: { DataType: "String", StringValue } };
    const MessageAttributes = { own: { DataType: "String", StringValue: "mine" } };
    await queue.send("traced", { MessageSystemAttributes, MessageAttributes });
    const [message] = await queue.receive();
    assert.equal(message?.Attributes?.AWSTraceHeader, StringValue);
    assert.deepEqual(Object.keys(message?.MessageAttributes ?? {}), ["own"]);
  });

  it("arrive with their body and attributes, and go when deleted", async () => {
    const queue = await openQueue(sqs, { VisibilityTimeout: "1" });
    await queue.send('é✓ {"a":1}', {
      MessageAttributes: {
        s: { DataType: "String", StringValue: "v" },
        n: { DataType: "Number", StringValue: "1" },
        b: { DataType: "Binary", BinaryValue: Buffer.from([1, 2, 255]) },
      },
    });
    const [message] = await queue.receiveAll(1, { VisibilityTimeout: 30 });
    assert.equal(message?.Body, 'é✓ {"a":1}');
    assert.equal(message.MessageAttributes?.s?.StringValue, "v");
    assert.equal(message.MessageAttributes?.n?.StringValue, "1");
    assert.deepEqual(Buffer.from(message.MessageAttributes?.b?.BinaryValue ?? []), Buffer.from([1, 2, 255]));
    assert.equal(message.Attributes?.ApproximateReceiveCount, "1");
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: message.ReceiptHandle }));
    await eventually(async () => assert.equal((await queue.attributes()).ApproximateNumberOfMessagesNotVisible, "0"));
  });

  it("hide while in flight and come back, counted", async () => {
    const queue = await openQueue(sqs);
    await queue.send("v");
    await queue.receiveAll(1, { VisibilityTimeout: 1 });
    assert.deepEqual(await queue.receive(), []);
    const [again] = await queue.receiveAll(1);
    assert.equal(again?.Body, "v");
    assert.equal(again.Attributes?.ApproximateReceiveCount, "2");
  });

  it("stay hidden when their visibility is extended, and return at once when it is ended", async () => {
    const queue = await openQueue(sqs);
    await queue.send("c");
    const [message] = await queue.receiveAll(1, { VisibilityTimeout: 1 });
    await setVisibility(queue, message?.ReceiptHandle, 30);
    assert.deepEqual(await queue.receive({ WaitTimeSeconds: 2 }), []);
    await setVisibility(queue, message?.ReceiptHandle, 0);
    const [again] = await queue.receiveAll(1);
    assert.equal(again?.MessageId, message?.MessageId);
  });

  it("wait out their delay", async () => {
    const queue = await openQueue(sqs);
    await queue.send("d", { DelaySeconds: 1 });
    assert.deepEqual(await queue.receive(), []);
    const [message] = await queue.receiveAll(1);
    assert.equal(message?.Body, "d");
  });

  it("are sent and deleted in batches of ten", async () => {
    const queue = await openQueue(sqs);
    const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: `s${index}`, MessageBody: `b${index}` }));
    const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
    assert.equal(sent.Successful?.length, 10);
    const messages = await queue.receiveAll(10);
    assert.deepEqual(messages.map(({ Body }) => Body).sort(), Entries.map(({ MessageBody }) => MessageBody).sort());
    const receipts = messages.map(({ ReceiptHandle }, index) => ({ Id: `d${index}`, ReceiptHandle }));
    const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries: receipts }));
    assert.equal(deleted.Successful?.length, 10);
  });

  it("may be nearly 1 MiB long, and no longer", async () => {
    const queue = await openQueue(sqs);
    await queue.send("x".repeat(900_000));
    await assert.rejects(queue.send("x".repeat(1_100_000)), { name: "InvalidParameterValue" });
    const [message] = await queue.receiveAll(1);
    assert.equal(message?.Body?.length, 900_000);
  });

  it("all arrive, of 1,000 sent 20 at a time", async () => {
    const queue = await openQueue(sqs);
    const bodies = Array.from({ length: 1000 }, (_, index) => String(index));
    for (let start = 0; start < 1000; start += 20) {
      await Promise.all(bodies.slice(start, start + 20).map((body) => queue.send(body)));
    }
    const seen = new Set<string | undefined>();
    for (let messages = await queue.receiveAll(1); messages.length; messages = await queue.receive(nothing)) {
      for (const { Body } of messages) seen.add(Body);
      const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: `d${index}`, ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries }));
    }
    assert.equal(seen.size, 1000);
  });
});

describe("long polls", { concurrency: true }, () => {
  it("wake when a message is sent", async () => {
    const queue = await openQueue(sqs);
    const poll = queue.receive({ WaitTimeSeconds: 20 });
    await eventually(async () => assert.deepEqual(await queue.receive(), []));
    const sentAt = performance.now();
    await queue.send("lp");
    assert.equal((await poll)[0]?.Body, "lp");
    assert.ok(performance.now() - sentAt < (onAws ? 5000 : 500));
  });

  it("wake when a message in flight becomes visible", async () => {
    const queue = await openQueue(sqs);
    await queue.send("x");
    await queue.receiveAll(1, { VisibilityTimeout: 1 });
    const [message] = await queue.receive({ WaitTimeSeconds: 10 });
    assert.equal(message?.Body, "x");
  });

  it("end empty when their time is up", async () => {
    const queue = await openQueue(sqs);
    const startedAt = performance.now();
    assert.deepEqual(await queue.receive({ WaitTimeSeconds: 1 }), []);
    assert.ok(performance.now() - startedAt > 950);
  });

  it("leave messages alone once their client is gone", { skip: onAws && "AWS does not promise it" }, async () => {
    const queue = await openQueue(sqs);
    const client = new AbortController();
    const poll = queue.receive({ WaitTimeSeconds: 20, signal: client.signal });
    await queue.receive();
    client.abort();
    await assert.rejects(poll, { name: "AbortError" });
    await queue.send("ab");
    const [message] = await queue.receive({ WaitTimeSeconds: 1 });
    assert.equal(message?.Body, "ab");
  });
});

describe("dead-letter queues", { concurrency: true }, () => {
  async function poison(): Promise<{ main: TestQueue; dead: TestQueue }> {
    const dead = await openQueue(sqs);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await dead.arn(), maxReceiveCount: 2 });
    const main = await openQueue(sqs, { VisibilityTimeout: "0", RedrivePolicy });
    await main.send("poison", { MessageAttributes: { k: { DataType: "String", StringValue: "v" } } });
    await main.receiveAll(1);
    await main.receiveAll(1);
    return { main, dead };
  }

  it("get a message, attributes and all, after its last receive", async () => {
    const { main, dead } = await poison();
    assert.deepEqual(await main.receive(nothing), []);
    const [message] = await dead.receiveAll(1);
    assert.equal(message?.Body, "poison");
    assert.equal(message.MessageAttributes?.k?.StringValue, "v");
    assert.equal(message.Attributes?.DeadLetterQueueSourceArn, await main.arn());
  });

  it("give their messages back", async () => {
    const { main, dead } = await poison();
    assert.deepEqual(await main.receive(nothing), []);
    await eventually(async () => assert.equal((await dead.attributes()).ApproximateNumberOfMessages, "1"));
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: await dead.arn() }));
    const [message] = await main.receiveAll(1);
    assert.equal(message?.Body, "poison");
  });

  it("know which queues feed them", async () => {
    const { main, dead } = await poison();
    await eventually(async () => {
      const { queueUrls } = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead.url }));
      assert.deepEqual(queueUrls, [main.url]);
    });
  });
});

describe("groups", { concurrency: true }, () => {
  it("of a FIFO queue keep order, drop duplicates, and wait for what is in flight", async () => {
    const queue = await openQueue(sqs, { FifoQueue: "true", ContentBasedDeduplication: "true" });
    for (const body of ["1", "2", "2", "3"]) await queue.send(body, { MessageGroupId: "g" });
    const messages = await queue.receiveAll(3);
    assert.deepEqual(
      messages.map(({ Body }) => Body),
      ["1", "2", "3"],
    );
    await queue.send("4", { MessageGroupId: "g" });
    assert.deepEqual(await queue.receive(nothing), []);
  });

  it("of a standard queue are accepted and returned", async () => {
    const queue = await openQueue(sqs);
    await queue.send("fair", { MessageGroupId: "project-1" });
    const [message] = await queue.receiveAll(1);
    assert.equal(message?.Attributes?.MessageGroupId, "project-1");
  });
});
