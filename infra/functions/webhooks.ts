/** Sends webhooks as a function: it is outside of any network of ours, so that the internet is where it can reach it. */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { createAwsClients } from "../../shared/aws.ts";
import { parseConfig } from "../../shared/config.ts";
import { createLog } from "../../shared/log.ts";
import { Message } from "../../shared/messages.ts";
import { createQueue } from "../../shared/queue.ts";
import { createStores } from "../../shared/stores/stores.ts";
import { openMetrics } from "../../shared/telemetry/metrics.ts";
import { createSegments } from "../../shared/telemetry/segments.ts";
import { createSealer } from "../../shared/webhooks/sealer.ts";
import { createSender } from "../../shared/webhooks/sender.ts";
import type { Task } from "../../workers/task.ts";
import { webhookEndpointTask } from "../../workers/tasks/webhook/endpointTask.ts";
import { webhookEventTask } from "../../workers/tasks/webhook/eventTask.ts";
import { createLanes } from "../../workers/tasks/webhook/lanes.ts";
import { createWatch, toldOf } from "../../workers/watch.ts";
import { fetchSecrets } from "./secrets.ts";

await fetchSecrets(process.env);

const config = parseConfig(process.env);
const log = createLog(config, "webhooks");
const aws = createAwsClients();
const stores = createStores(aws, config);
const queue = createQueue(aws.sqs, config);
const lanes = createLanes();
const sender = createSender({
  timeoutMilliseconds: config.webhookTimeoutSeconds * 1000,
  local: config.webhookLocal,
});
const webhooks = { lanes, sender, sealer: createSealer(config.secretKeys) };
const tasks: Partial<Record<Message["kind"], Task>> = {
  webhook_event: webhookEventTask({ stores, queue }),
  webhook_endpoint: webhookEndpointTask({ stores, webhooks, log, config }),
};
const metrics = openMetrics(config, "worker");
const watch = createWatch({ metrics, sendSegment: createSegments(undefined), queue: "webhooks", lanes: 1 });
/** Nobody tells a function that it will be ended; a lane's turn is shorter than its time. */
const { signal } = new AbortController();

/** Names the messages that are to come again. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const outcomes = await Promise.all(Records.map(work));
  // A frozen function delivers nothing.
  await lanes.idle();
  metrics.flush();
  const failed = Records.filter((_, i) => !outcomes[i]);
  return { batchItemFailures: failed.map(({ messageId: itemIdentifier }) => ({ itemIdentifier })) };
}

async function work({ body, attributes, messageAttributes, messageId }: SQSRecord): Promise<boolean> {
  try {
    const message = Message.parse(JSON.parse(body));
    const task = tasks[message.kind];
    if (!task) throw new Error(`Messages of kind ${message.kind} are no webhooks`);
    const traceparent = { StringValue: messageAttributes.traceparent?.stringValue };
    const told = toldOf({ Attributes: attributes, MessageAttributes: { traceparent } });
    return (await watch.work(message, told, () => task(message, signal))).type === "done";
  } catch (error) {
    log.error({ message_id: messageId, error }, "message was not handled");
    return false;
  }
}
