/** One sweep, for the schedule: while no worker is there it is what makes one come. */
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { createAwsClients } from "../../shared/aws.ts";
import { parseConfig } from "../../shared/config.ts";
import { createLog } from "../../shared/log.ts";
import { createQueue } from "../../shared/queue.ts";
import { createStores } from "../../shared/stores/stores.ts";
import { clearLeftovers, destroyKeys, keepNoLonger, sweep } from "../../workers/sweeper.ts";
import { sweptRows, sweptWebhooks } from "../../workers/swept.ts";
import { createGauges } from "./gauges.ts";

const config = parseConfig(process.env);
const log = createLog(config, "sweep");
const aws = createAwsClients();
const stores = createStores(aws, config);
const queue = createQueue(aws.sqs, config);

const gauges = createGauges(stores.workload);

/** Throws after all was looked after, where some of it failed. */
export async function handler(): Promise<void> {
  const { kinds, leftovers, keys, retention } = sweptRows(stores);
  const work = [...kinds, ...sweptWebhooks(stores).kinds].map(async (rows) => {
    const sent = await sweep(rows, queue);
    if (sent) log.info({ kind: rows.kind, sent }, "rows that want a worker were sent");
    if (!rows.wakes) gauges.unsent(sent);
  });
  const removals = [
    leftovers && clearLeftovers(leftovers),
    keys && destroyKeys(keys),
    retention && keepNoLonger(retention),
  ];
  const jobs = kinds.filter(({ wakes }) => !wakes).map(({ kind }) => kind);
  const outcomes = await Promise.allSettled([...work, ...removals, gauges.rows(jobs), keepMeasured()]);
  gauges.publish();
  const failures = outcomes
    .filter(({ status }) => status === "rejected")
    .map((outcome) => "reason" in outcome && outcome.reason);
  if (failures.length > 0) throw new AggregateError(failures, "not everything was swept");
}

/** AWS stops measuring queues that nobody calls for hours, and workers come by what it measures. */
async function keepMeasured(): Promise<void> {
  const urls = new Set([config.queueUrl, config.answerQueueUrl, config.lightQueueUrl ?? config.queueUrl]);
  const ask = (QueueUrl: string) =>
    aws.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }));
  await Promise.all([...urls].map(ask));
}
