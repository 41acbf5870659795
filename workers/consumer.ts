/** The loop between the queue and the tasks: one message at a time, kept invisible while its task is at work. */
import { ChangeMessageVisibilityCommand, type Message as QueueMessage, type SQSClient } from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import type { Log } from "../shared/log.ts";
import { Message } from "../shared/messages.ts";
import type { Queue } from "../shared/queue.ts";
import type { Protection } from "./protection.ts";
import type { Outcome, Tasks } from "./task.ts";
import { toldOf, type Watch } from "./watch.ts";

export interface ConsumerOptions {
  sqs: SQSClient;
  queueUrl: string;
  queue: Queue;
  tasks: Tasks;
  /** A worker that dies leaves its message invisible for this long. */
  visibilitySeconds: number;
  log: Log;
  /** Told of all work; absent: nobody is. */
  watch?: Pick<Watch, "work">;
  /** Held while a message is at work; absent: such work is over so soon that it is waited for. */
  protection?: Pick<Protection, "hold" | "release">;
}

export interface RunningConsumer {
  /** Asks the task at work to put its work down, waits for it, and stops. */
  stop(): Promise<void>;
}

export function startConsumer(options: ConsumerOptions): RunningConsumer {
  const { sqs, queueUrl, log } = options;
  const shutdown = new AbortController();
  const visibilityTimeout = Math.max(2, Math.ceil(options.visibilitySeconds));
  const consumer = Consumer.create({
    sqs,
    queueUrl,
    batchSize: 1,
    messageAttributeNames: ["traceparent"],
    messageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
    waitTimeSeconds: 20,
    visibilityTimeout,
    heartbeatInterval: Math.max(1, Math.floor(visibilityTimeout / 3)),
    // A queue that refuses connections is asked again ten times a second, not as fast as it can refuse.
    pollingWaitTimeMs: 100,
    handleMessage: async (message) => {
      await options.protection?.hold();
      try {
        return await handle(options, message, shutdown.signal);
      } finally {
        options.protection?.release();
      }
    },
  });
  let busy = false;
  consumer.on("message_received", () => {
    busy = true;
  });
  consumer.on("response_processed", () => {
    busy = false;
  });
  // Stopping breaks off the receive under way, which is no fault of the queue.
  consumer.on("error", (error) => shutdown.signal.aborted || log.error({ error }, "queue is out of reach"));
  consumer.on("processing_error", (error) => log.error({ error }, "message was not handled"));
  consumer.start();
  return {
    async stop() {
      shutdown.abort();
      // Aborting also aborts the deletion of a handled message, so a task at work is waited for first.
      if (busy) await new Promise<void>((resolve) => consumer.once("response_processed", () => resolve()));
      consumer.stop({ abort: true });
    },
  };
}

/** Returns the message to have it deleted, undefined to leave it in the queue. */
async function handle(options: ConsumerOptions, raw: QueueMessage, shutdown: AbortSignal) {
  const { tasks, queue, log } = options;
  const message = parseMessage(raw.Body);
  if (!message) {
    log.error({ message_id: raw.MessageId }, "message is not ours; left for the dead-letter queue");
    return undefined;
  }
  const work = () => tasks[message.kind](message, shutdown);
  const outcome = await (options.watch?.work(message, toldOf(raw), work) ?? work());
  if (outcome.type === "buried") await queue.bury(message, outcome.cause);
  if (outcome.type === "retry") return await postpone(options, raw, outcome);
  return raw;
}

async function postpone({ sqs, queueUrl }: ConsumerOptions, raw: QueueMessage, outcome: Outcome & { type: "retry" }) {
  const VisibilityTimeout = Math.ceil(outcome.seconds);
  await sqs.send(
    new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: raw.ReceiptHandle, VisibilityTimeout }),
  );
  return undefined;
}

function parseMessage(body: string | undefined): Message | undefined {
  try {
    return Message.parse(JSON.parse(body ?? ""));
  } catch {
    return undefined;
  }
}
