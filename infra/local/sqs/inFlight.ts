/** What a receiver does with a message in flight: delete it, or change how long it stays hidden. */
import type { Call } from "../awsJson.ts";
import { type Broker, recordProcessing } from "./broker.ts";
import { invalidValue, sqsError } from "./errors.ts";
import { findQueue, type Queue } from "./queues.ts";

export type ReceiptInput = { ReceiptHandle: string };
export type VisibilityInput = ReceiptInput & {
  /** Seconds from now, 0 to 43,200. */
  VisibilityTimeout: number;
};

function checkReceipt(receipt: string | undefined): void {
  if (!receipt) throw sqsError("MissingParameter", "The request must contain the parameter ReceiptHandle.");
  if (!/^[0-9a-f-]{36}\.\d+$/.test(receipt)) {
    throw sqsError("ReceiptHandleIsInvalid", `The input receipt handle "${receipt}" is not a valid receipt handle.`);
  }
}

/** Receipts end in the time at which their message was received, in milliseconds. */
function endProcessing(broker: Broker, { name, fifo }: Queue, receipt: string): void {
  if (fifo) return;
  const row = broker.database.sql
    .get`select message_group from messages where queue = ${name} and receipt = ${receipt}`;
  if (row?.message_group == null) return;
  recordProcessing(broker, name, String(row.message_group), Number(receipt.split(".").at(-1)));
}

/** The handle of an earlier receive deletes nothing, and that is no error. */
export function discard(broker: Broker, queue: Queue, { ReceiptHandle: receipt }: ReceiptInput): void {
  checkReceipt(receipt);
  endProcessing(broker, queue, receipt);
  broker.database.sql.run`delete from messages where queue = ${queue.name} and receipt = ${receipt}`;
}

export function setVisibility(broker: Broker, queue: Queue, input: VisibilityInput): void {
  const { database, now, polls } = broker;
  const { ReceiptHandle: receipt, VisibilityTimeout: seconds } = input;
  checkReceipt(receipt);
  if (!(seconds >= 0 && seconds <= 43_200)) {
    throw invalidValue(
      `Value ${seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.`,
    );
  }
  const row = database.sql.get`select visible from messages where queue = ${queue.name} and receipt = ${receipt}`;
  if (!row) {
    throw invalidValue(
      `Value ${receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
    );
  }
  if (Number(row.visible) <= now()) throw sqsError("MessageNotInflight", "The specified message isn't in flight.");
  if (seconds === 0) endProcessing(broker, queue, receipt);
  database.sql
    .run`update messages set visible = ${now() + seconds * 1000} where queue = ${queue.name} and receipt = ${receipt}`;
  polls.wake(queue.name);
}

export function deleteMessage(broker: Broker, { input }: Call): void {
  discard(broker, findQueue(broker, String(input.QueueUrl)), input as ReceiptInput);
}

export function changeMessageVisibility(broker: Broker, { input }: Call): void {
  setVisibility(broker, findQueue(broker, String(input.QueueUrl)), input as VisibilityInput);
}
