/** The batch forms: up to ten entries in one transaction, each succeeding or failing by itself. */
import { AwsJsonError, type Call } from "../awsJson.ts";
import type { Broker } from "./broker.ts";
import { sqsError } from "./errors.ts";
import { discard, type ReceiptInput, setVisibility, type VisibilityInput } from "./inFlight.ts";
import { findQueue, type Queue } from "./queues.ts";
import { enqueue, messageSize, type Outgoing } from "./sending.ts";

type Entry = { Id: string };
type Failed = { Id: string; SenderFault: boolean; Code: string; Message: string };
type BatchResult = { Successful: object[]; Failed?: Failed[] };
type Action<T> = (broker: Broker, queue: Queue, entry: T) => unknown;

/** The sum over a batch of sends. */
const batchBytes = 1_048_576;

function checkEntries(entries: Entry[]): void {
  if (!entries.length) throw sqsError("EmptyBatchRequest", "There should be at least one entry in the request.");
  if (entries.length > 10) {
    throw sqsError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  for (const { Id } of entries) {
    if (!/^[\w-]{1,80}$/.test(Id)) throw sqsError("InvalidBatchEntryId", `The batch entry id ${Id} is invalid.`);
  }
  if (new Set(entries.map((entry) => entry.Id)).size < entries.length) {
    throw sqsError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
  }
}

function failure(Id: string, error: unknown): Failed {
  if (!(error instanceof AwsJsonError)) throw error;
  const Code = String(error.body.__type).split("#").at(-1) ?? "";
  return { Id, SenderFault: true, Code, Message: error.message };
}

function runBatch<T extends Entry>(broker: Broker, { input }: Call, action: Action<T>): BatchResult {
  const queue = findQueue(broker, String(input.QueueUrl));
  const entries = (input.Entries ?? []) as T[];
  checkEntries(entries);
  const Successful: object[] = [];
  const Failed: Failed[] = [];
  broker.database.transaction(() => {
    for (const entry of entries) {
      try {
        Successful.push({ Id: entry.Id, ...(action(broker, queue, entry) as object | undefined) });
      } catch (error) {
        Failed.push(failure(entry.Id, error));
      }
    }
  });
  broker.polls.wake(queue.name);
  return { Successful, ...(Failed.length ? { Failed } : {}) };
}

export function sendMessageBatch(broker: Broker, call: Call): BatchResult {
  const size = ((call.input.Entries ?? []) as Outgoing[]).reduce((total, message) => total + messageSize(message), 0);
  if (size > batchBytes) {
    throw sqsError(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${batchBytes} bytes. You have sent ${size} bytes.`,
    );
  }
  return runBatch<Entry & Outgoing>(broker, call, enqueue);
}

export function deleteMessageBatch(broker: Broker, call: Call): BatchResult {
  return runBatch<Entry & ReceiptInput>(broker, call, discard);
}

export function changeMessageVisibilityBatch(broker: Broker, call: Call): BatchResult {
  return runBatch<Entry & VisibilityInput>(broker, call, setVisibility);
}
