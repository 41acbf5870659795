/** The door to SQS for those who send. Receiving is the consumer's. */
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { WorkerQueue } from "./config.ts";
import { classOf, type Training } from "./fleet/classes.ts";
import type { Message, MessageKind } from "./messages.ts";
import { currentTrace, toTraceparent, toXRay } from "./telemetry/trace.ts";

export interface QueueUrls {
  queueUrl: string;
  /** For messages whose outcome somebody waits for, and those that take no time. */
  answerQueueUrl: string;
  /** For what needs no GPU; absent: it goes with the rest. */
  lightQueueUrl?: string | undefined;
  /** For webhooks; absent: they go with the rest. */
  webhookQueueUrl?: string | undefined;
  deadLetterQueueUrl: string;
}

/** A row that wants a worker, with what decides which queue its message goes to. */
export type Work<Kind extends MessageKind> = Omit<Message, "kind"> &
  (Kind extends "fine_tuning_job" ? Training : unknown);

export interface Queue {
  /** Fair by project: one customer's thousand jobs do not delay another's one. */
  send<Kind extends MessageKind>(kind: Kind, row: Work<Kind>): Promise<void>;
  /** Names the line that the row's message stands in; the same for all that wait for the same workers. */
  lineOf<Kind extends MessageKind>(kind: Kind, row: Work<Kind>): string;
  /** Parks a message that was tried too often, with the cause, where an operator finds it. */
  bury(message: Message, cause: string): Promise<void>;
}

/** Of a sending; only a receive may take as long as the client allows. */
const requestTimeout = 5000;

const webhooks: readonly MessageKind[] = ["webhook_event", "webhook_endpoint"];
/** They are not to be behind a training. */
const quick: readonly MessageKind[] = ["answer", ...webhooks];

/** Where there is a queue for each class of workers. Models that only answer, as in label queues, do so on a CPU. */
const routes: { [Kind in MessageKind]: (row: Work<Kind>) => WorkerQueue } = {
  fine_tuning_job: (job) => (classOf(job) === "cpu" ? "light" : "jobs"),
  batch: () => "jobs",
  eval_run: () => "jobs",
  answer: () => "answers",
  dataset_version: () => "light",
  label_queue: () => "light",
  label_doctor: () => "light",
  experiment: () => "light",
  policy: () => "light",
  promotion: () => "light",
  webhook_event: () => "light",
  webhook_endpoint: () => "light",
};

function urlFor<Kind extends MessageKind>(kind: Kind, row: Work<Kind>, urls: QueueUrls): string {
  const { queueUrl, answerQueueUrl, lightQueueUrl, webhookQueueUrl } = urls;
  if (webhookQueueUrl !== undefined && webhooks.includes(kind)) return webhookQueueUrl;
  if (lightQueueUrl === undefined) return quick.includes(kind) ? answerQueueUrl : queueUrl;
  return { jobs: queueUrl, answers: answerQueueUrl, light: lightQueueUrl }[routes[kind](row)];
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

/** What is quick is a customer of its own: it shares a queue with its project's trainings, and is not to be behind them. */
const groupOf = ({ kind, project_id }: Message) => (quick.includes(kind) ? `${project_id}:quick` : project_id);

export function createQueue(sqs: SQSClient, urls: QueueUrls): Queue {
  const send = async (url: string, message: Message, cause?: string) => {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: JSON.stringify(message),
        MessageGroupId: groupOf(message),
        ...attributesOf(cause),
      }),
      { requestTimeout },
    );
  };
  return {
    send: (kind, row) => send(urlFor(kind, row, urls), { kind, project_id: row.project_id, id: row.id }),
    lineOf: (kind, row) => urlFor(kind, row, urls),
    bury: (message, cause) => send(urls.deadLetterQueueUrl, message, cause),
  };
}
