/** Webhooks sent by a function, from the messages that SQS hands it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { Message } from "../../../shared/messages.ts";
import { createQueue } from "../../../shared/queue.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";
import { addEndpoint, cancelJobs, deliveriesTo } from "../../support/webhooks.ts";

let deployment: Deployment;
let receiver: Receiver;
let queueUrl: string;
let handler: (event: SQSEvent) => Promise<SQSBatchResponse>;
before(async () => {
  [deployment, receiver] = await Promise.all([deploy(), startReceiver()]);
  const { aws, environment } = deployment;
  queueUrl = (await aws.sqs.send(new CreateQueueCommand({ QueueName: "millrace-webhooks" }))).QueueUrl!;
  Object.assign(process.env, environment, {
    ...{ MILLRACE_WEBHOOK_QUEUE_URL: queueUrl, MILLRACE_WEBHOOK_LOCAL: "true", MILLRACE_LOG_LEVEL: "silent" },
  });
  ({ handler } = await import("../../../infra/functions/webhooks.ts"));
});
after(() => Promise.all([deployment.close(), receiver.close()]));

/** As SQS hands messages to a function. */
const eventOf = (...bodies: string[]): SQSEvent => ({
  Records: bodies.map((body, i) => ({
    ...{ messageId: `m${i}`, receiptHandle: "r", body, messageAttributes: {}, md5OfBody: "", awsRegion: "eu-west-1" },
    ...{ eventSource: "aws:sqs", eventSourceARN: "arn:aws:sqs:eu-west-1:1:q" },
    attributes: {
      ...{ ApproximateReceiveCount: "1", SentTimestamp: String(Date.now()), SenderId: "s" },
      ApproximateFirstReceiveTimestamp: String(Date.now()),
    },
  })),
});

async function received(): Promise<string[]> {
  const asked = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
  const { Messages = [] } = await deployment.aws.sqs.send(new ReceiveMessageCommand(asked));
  return Messages.map(({ Body }) => Body!);
}

test("webhooks have a queue of their own where there is one, and go where they went where there is none", async () => {
  const { aws, names, a } = deployment;
  const row = { project_id: a.project.id, id: "wh_x" };
  const urls = { ...names, webhookQueueUrl: queueUrl, lightQueueUrl: "http://127.0.0.1:9/light" };
  const own = createQueue(aws.sqs, urls);
  for (const kind of ["webhook_event", "webhook_endpoint"] as const) assert.equal(own.lineOf(kind, row), queueUrl);
  assert.equal(own.lineOf("policy", row), urls.lightQueueUrl);
  const shared = createQueue(aws.sqs, names);
  assert.equal(shared.lineOf("webhook_event", row), names.answerQueueUrl);
});

test("an event's message makes one for its endpoint, whose message has it delivered, signed, before the function ends", async () => {
  const client = deployment.client();
  const endpoint = await addEndpoint(client, receiver.url);
  const [job] = await cancelJobs(client, 1);
  const [event] = await deployment.stores.webhookEvents.overdue(Date.now() + 60_000, 10);
  const message: Message = { kind: "webhook_event", project_id: event!.project_id, id: event!.id };
  assert.deepEqual(await handler(eventOf(JSON.stringify(message))), { batchItemFailures: [] });
  assert.equal(receiver.received.length, 0);

  const [next, ...others] = await received();
  assert.deepEqual(others, []);
  assert.deepEqual(JSON.parse(next!), { kind: "webhook_endpoint", project_id: event!.project_id, id: endpoint.id });
  assert.deepEqual(await handler(eventOf(next!, next!)), { batchItemFailures: [] });
  const [told, ...again] = receiver.received;
  assert.deepEqual(again, [], "a message that came twice delivers once");
  const headers = told!.headers as Record<string, string>;
  const unwrapped = await client.webhooks.unwrap(told!.body, headers, endpoint.signing_secret);
  assert.deepEqual(unwrapped.data, { id: job });
  assert.equal((await deliveriesTo(client, endpoint))[0]!.status, "succeeded");
});

test("a message that is none, or for others, comes again, and ends among the dead; those beside it do not", async () => {
  const gone = JSON.stringify({ kind: "webhook_endpoint", project_id: deployment.a.project.id, id: "wh_none" });
  const job = JSON.stringify({ kind: "fine_tuning_job", project_id: deployment.a.project.id, id: "ftjob_none" });
  const { batchItemFailures } = await handler(eventOf("{", gone, job));
  assert.deepEqual(batchItemFailures, [{ itemIdentifier: "m0" }, { itemIdentifier: "m2" }]);
});
