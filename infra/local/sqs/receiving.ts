/** ReceiveMessage: takes messages into flight, moves poisonous ones to the dead-letter queue, and polls long. */
import { randomUUID } from "node:crypto";
import type { Call } from "../awsJson.ts";
import { localAccount } from "../credentials.ts";
import type { Broker } from "./broker.ts";
import { chooseMessages, type MessageRow } from "./choosing.ts";
import { invalidValue } from "./errors.ts";
import { attributesMd5, type MessageAttributes, md5, selectAttributes, traceAttribute } from "./messageAttributes.ts";
import { parseRedrivePolicy } from "./queueAttributes.ts";
import { findQueue, lookUpQueue, type Queue, queueArn, queueNameOf } from "./queues.ts";
import { sequenceNumber } from "./sending.ts";

type ReceiveInput = {
  QueueUrl: string;
  /** 1 to 10, default 1. */
  MaxNumberOfMessages?: number;
  /** Seconds, 0 to 20. */
  WaitTimeSeconds?: number;
  /** Seconds. */
  VisibilityTimeout?: number;
  AttributeNames?: string[];
  MessageSystemAttributeNames?: string[];
  MessageAttributeNames?: string[];
};

type Received = Record<string, unknown>;

function systemAttributes(queue: Queue, row: MessageRow, now: number, trace: string | undefined) {
  const fifo: Record<string, string> = queue.fifo
    ? { MessageDeduplicationId: row.deduplication ?? "", SequenceNumber: sequenceNumber(row.sequence) }
    : {};
  return {
    SenderId: localAccount,
    SentTimestamp: String(row.sent),
    ApproximateReceiveCount: String(row.receives + 1),
    ApproximateFirstReceiveTimestamp: String(row.first_received ?? now),
    ...(row.message_group === null ? {} : { MessageGroupId: row.message_group, ...fifo }),
    ...(row.source === null ? {} : { DeadLetterQueueSourceArn: row.source }),
    ...(trace === undefined ? {} : { AWSTraceHeader: trace }),
  };
}

function present(queue: Queue, row: MessageRow, receipt: string, input: ReceiveInput, now: number): Received {
  const wanted = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])];
  const { [traceAttribute]: trace, ...own } = JSON.parse(row.attributes) as MessageAttributes;
  const system = Object.entries<string>(systemAttributes(queue, row, now, trace?.StringValue)).filter(
    ([name]) => wanted.includes("All") || wanted.includes(name),
  );
  const attributes: MessageAttributes = selectAttributes(own, input.MessageAttributeNames ?? []);
  return {
    MessageId: row.id,
    ReceiptHandle: receipt,
    Body: row.body,
    MD5OfBody: md5(row.body),
    ...(system.length ? { Attributes: Object.fromEntries(system) } : {}),
    ...(Object.keys(attributes).length
      ? { MessageAttributes: attributes, MD5OfMessageAttributes: attributesMd5(attributes) }
      : {}),
  };
}

function moveToDeadLetters({ database, now }: Broker, queue: Queue, row: MessageRow, target: string): void {
  database.sql.run`
    update messages set queue = ${target}, receipt = null, visible = ${now()}, source = ${queueArn(queue.name)}
    where sequence = ${row.sequence}`;
}

/** Chooses until no chosen message has been received too often; those are moved away. */
function chooseHealthy(broker: Broker, queue: Queue, limit: number): { rows: MessageRow[]; deadLetters?: string } {
  const policy = parseRedrivePolicy(queue.attributes.RedrivePolicy);
  const target = policy && queueNameOf(policy.deadLetterTargetArn);
  // Without its dead-letter queue a message is better delivered again than lost.
  if (!target || !lookUpQueue(broker, target)) return { rows: chooseMessages(broker, queue, limit) };
  let deadLetters: string | undefined;
  for (;;) {
    const rows = chooseMessages(broker, queue, limit);
    const poisonous = rows.filter((row) => row.receives >= policy.maxReceiveCount);
    if (!poisonous.length) return { rows, deadLetters };
    for (const row of poisonous) moveToDeadLetters(broker, queue, row, target);
    deadLetters = target;
  }
}

function take(broker: Broker, queue: Queue, input: ReceiveInput): Received[] {
  const now = broker.now();
  const visible = now + 1000 * (input.VisibilityTimeout ?? Number(queue.attributes.VisibilityTimeout));
  const { sql } = broker.database;
  const { received, deadLetters } = broker.database.transaction(() => {
    const { rows, deadLetters } = chooseHealthy(broker, queue, input.MaxNumberOfMessages ?? 1);
    const received = rows.map((row) => {
      const receipt = `${randomUUID()}.${now}`;
      sql.run`
        update messages set receipt = ${receipt}, visible = ${visible}, receives = receives + 1,
          first_received = coalesce(first_received, ${now})
        where sequence = ${row.sequence}`;
      return present(queue, row, receipt, input, now);
    });
    return { received, deadLetters };
  });
  if (deadLetters) broker.polls.wake(deadLetters);
  return received;
}

function check({ MaxNumberOfMessages = 1, WaitTimeSeconds = 0, VisibilityTimeout = 0 }: ReceiveInput): void {
  const bounds = { MaxNumberOfMessages: [1, 10], WaitTimeSeconds: [0, 20], VisibilityTimeout: [0, 43_200] } as const;
  for (const [name, value] of Object.entries({ MaxNumberOfMessages, WaitTimeSeconds, VisibilityTimeout })) {
    const [minimum, maximum] = bounds[name as keyof typeof bounds];
    if (!(value >= minimum && value <= maximum)) {
      throw invalidValue(
        `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${minimum} and ${maximum}.`,
      );
    }
  }
}

/** Until the next message that is delayed or in flight comes back, as far as is known now. */
function millisecondsToNext({ database, now }: Broker, queue: string): number {
  const row = database.sql.get`select min(visible) as next from messages where queue = ${queue} and visible > ${now()}`;
  return row?.next == null ? Number.POSITIVE_INFINITY : Number(row.next) - now();
}

/** A poll whose client is gone, or whose server closes, takes nothing. */
export async function receiveMessage(broker: Broker, { input, signal }: Call): Promise<{ Messages?: Received[] }> {
  const wanted = input as ReceiveInput;
  check(wanted);
  const first = findQueue(broker, wanted.QueueUrl);
  const wait = wanted.WaitTimeSeconds ?? Number(first.attributes.ReceiveMessageWaitTimeSeconds);
  const deadline = performance.now() + wait * 1000;
  while (!signal.aborted && !broker.polls.closed) {
    const queue = findQueue(broker, wanted.QueueUrl);
    const Messages = take(broker, queue, wanted);
    if (Messages.length) return { Messages };
    const left = deadline - performance.now();
    if (left <= 0) break;
    await broker.polls.sleep(queue.name, Math.max(1, Math.min(left, millisecondsToNext(broker, queue.name))), signal);
  }
  return {};
}
