/** The door to SQS for those who send. Receiving is the consumer's. */
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Message, MessageKind } from "./messages.ts";
import { currentTrace, toTraceparent, toXRay } from "./telemetry/trace.ts";

export interface QueueUrls {
  queueUrl: string;
  /** For messages whose outcome somebody waits for, and those that take no time. */
  answerQueueUrl: string;
  /** For what needs no GPU; absent: it goes with the rest. */
  lightQueueUrl?: string | undefined;
  deadLetterQueueUrl: string;
}

export interface Queue {
  /** Fair by project: one customer's thousand jobs do not delay another's one. */
  send(message: Message): Promise<void>;
  /** Parks a message that was tried too often, with the cause, where an operator finds it. */
  bury(message: Message, cause: string): Promise<void>;
}

/** Of a sending; only a receive may take as long as the client allows. */
const requestTimeout = 5000;

/** They are not to be behind a training. */
const quick: readonly MessageKind[] = ["answer", "webhook_event", "webhook_endpoint"];

/** They need no GPU: what models answer in them a CPU computes, too. */
const light: readonly MessageKind[] = [
  "dataset_version",
  "label_queue",
  "label_doctor",
  "experiment",
  "policy",
  "promotion",
  "webhook_event",
  "webhook_endpoint",
];

function urlFor(kind: MessageKind, { queueUrl, answerQueueUrl, lightQueueUrl }: QueueUrls): string {
  if (lightQueueUrl !== undefined && light.includes(kind)) return lightQueueUrl;
  return quick.includes(kind) ? answerQueueUrl : queueUrl;
}

const text = (StringValue: string) => ({ DataType: "String", StringValue });

/** With the trace that the message is sent in: for the worker, and, in its own form, for X-Ray. */
function attributesOf(cause: string | undefined) {
  const trace = currentTrace();
  const own = {
    ...(cause && { cause: text(cause.slice(0, 1000)) }),
    ...(trace && { traceparent: text(toTraceparent(trace)) }),
  };
  return {
    MessageAttributes: Object.keys(own).length ? own : undefined,
    MessageSystemAttributes: trace && { AWSTraceHeader: text(toXRay(trace)) },
  };
}

export function createQueue(sqs: SQSClient, urls: QueueUrls): Queue {
  const send = async (url: string, message: Message, cause?: string) => {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: JSON.stringify(message),
        MessageGroupId: message.project_id,
        ...attributesOf(cause),
      }),
      { requestTimeout },
    );
  };
  return {
    send: (message) => send(urlFor(message.kind, urls), message),
    bury: (message, cause) => send(urls.deadLetterQueueUrl, message, cause),
  };
}
