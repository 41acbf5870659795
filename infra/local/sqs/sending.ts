/** SendMessage: size limits, delays, groups, and the deduplication of FIFO queues. */
import { createHash, randomUUID } from "node:crypto";
import type { Call } from "../awsJson.ts";
import { type Broker, deduplicationMilliseconds } from "./broker.ts";
import { invalidValue, sqsError } from "./errors.ts";
import {
  attributesMd5,
  attributesSize,
  checkAttributes,
  type MessageAttributes,
  md5,
  traceAttribute,
} from "./messageAttributes.ts";
import { findQueue, type Queue } from "./queues.ts";

export type Outgoing = {
  MessageBody: string;
  MessageAttributes?: MessageAttributes;
  /** There is one: `AWSTraceHeader`. */
  MessageSystemAttributes?: MessageAttributes;
  /** Seconds. */
  DelaySeconds?: number;
  MessageGroupId?: string;
  MessageDeduplicationId?: string;
};

type Sent = { MessageId: string; MD5OfMessageBody: string; MD5OfMessageAttributes?: string; SequenceNumber?: string };

/** What XML 1.0, and with it SQS, cannot carry. */
const forbidden = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

export function messageSize(message: Outgoing): number {
  return Buffer.byteLength(message.MessageBody ?? "") + attributesSize(message.MessageAttributes ?? {});
}

export function sequenceNumber(sequence: number | bigint): string {
  return String(sequence).padStart(20, "0");
}

function check(queue: Queue, message: Outgoing): void {
  if (!message.MessageBody) throw sqsError("MissingParameter", "The request must contain the parameter MessageBody.");
  if (forbidden.test(message.MessageBody))
    throw sqsError("InvalidMessageContents", "Invalid characters in the message body.");
  checkAttributes(message.MessageAttributes ?? {});
  const stranger = Object.keys(message.MessageSystemAttributes ?? {}).find((name) => name !== "AWSTraceHeader");
  if (stranger) throw invalidValue(`Message system attribute name '${stranger}' is invalid.`);
  const limit = Number(queue.attributes.MaximumMessageSize);
  if (messageSize(message) > limit) {
    throw invalidValue(`One or more parameters are invalid. Reason: Message must be shorter than ${limit + 1} bytes.`);
  }
  const { DelaySeconds: delay } = message;
  if (delay !== undefined && !(delay >= 0 && delay <= 900))
    throw invalidValue(`Value ${delay} for parameter DelaySeconds is invalid.`);
  if (queue.fifo && delay !== undefined) throw invalidValue("DelaySeconds can be set for a whole FIFO queue only.");
  if (queue.fifo && !message.MessageGroupId) {
    throw sqsError("MissingParameter", "The request must contain the parameter MessageGroupId.");
  }
  if (!queue.fifo && message.MessageDeduplicationId !== undefined) {
    throw invalidValue("MessageDeduplicationId is valid for FIFO queues only.");
  }
}

function deduplicationToken(queue: Queue, message: Outgoing): string {
  if (message.MessageDeduplicationId) return message.MessageDeduplicationId;
  if (queue.attributes.ContentBasedDeduplication === "true") {
    return createHash("sha256").update(message.MessageBody).digest("hex");
  }
  throw invalidValue(
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
  );
}

function insert(
  { database, now }: Broker,
  queue: Queue,
  message: Outgoing,
  id: string,
  token: string | null,
): number | bigint {
  const sent = now();
  const delay = message.DelaySeconds ?? Number(queue.attributes.DelaySeconds);
  const traced = message.MessageSystemAttributes?.AWSTraceHeader;
  const attributes = JSON.stringify({ ...message.MessageAttributes, ...(traced && { [traceAttribute]: traced }) });
  const { lastInsertRowid } = database.sql.run`
    insert into messages (queue, id, body, attributes, message_group, deduplication, sent, visible) values
    (${queue.name}, ${id}, ${message.MessageBody}, ${attributes}, ${message.MessageGroupId ?? null}, ${token}, ${sent},
      ${sent + delay * 1000})`;
  return lastInsertRowid;
}

/** A token seen in the last five minutes answers as the first send did, and enqueues nothing. */
function sendFifo(broker: Broker, queue: Queue, message: Outgoing): { id: string; sequence: number | bigint } {
  const { sql } = broker.database;
  const token = deduplicationToken(queue, message);
  const since = broker.now() - deduplicationMilliseconds;
  const seen = sql.get`select id, sequence from deduplications where queue = ${queue.name} and token = ${token} and sent > ${since}`;
  if (seen) return { id: String(seen.id), sequence: Number(seen.sequence) };
  const id = randomUUID();
  const sequence = insert(broker, queue, message, id, token);
  sql.run`insert or replace into deduplications values (${queue.name}, ${token}, ${id}, ${sequence}, ${broker.now()})`;
  return { id, sequence };
}

/** Call it inside a transaction, and wake the queue's polls after it. */
export function enqueue(broker: Broker, queue: Queue, message: Outgoing): Sent {
  check(queue, message);
  const { MessageAttributes: attributes = {} } = message;
  const digests = {
    MD5OfMessageBody: md5(message.MessageBody),
    ...(Object.keys(attributes).length ? { MD5OfMessageAttributes: attributesMd5(attributes) } : {}),
  };
  if (queue.fifo) {
    const { id, sequence } = sendFifo(broker, queue, message);
    return { MessageId: id, SequenceNumber: sequenceNumber(sequence), ...digests };
  }
  const id = randomUUID();
  insert(broker, queue, message, id, null);
  return { MessageId: id, ...digests };
}

export function sendMessage(broker: Broker, { input }: Call): Sent {
  const queue = findQueue(broker, String(input.QueueUrl));
  const sent = broker.database.transaction(() => enqueue(broker, queue, input as Outgoing));
  broker.polls.wake(queue.name);
  return sent;
}
