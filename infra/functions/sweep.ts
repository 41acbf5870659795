/** One sweep, for the schedule: while no worker is there it is what makes one come. */
import { createAwsClients } from "../../shared/aws.ts";
import { parseConfig } from "../../shared/config.ts";
import { createLog } from "../../shared/log.ts";
import { createQueue } from "../../shared/queue.ts";
import { createStores } from "../../shared/stores/stores.ts";
import { clearLeftovers, sweep } from "../../workers/sweeper.ts";
import { sweptRows, sweptWebhooks } from "../../workers/swept.ts";

const config = parseConfig(process.env);
const log = createLog(config, "sweep");
const aws = createAwsClients();
const stores = createStores(aws, config);
const queue = createQueue(aws.sqs, config);

/** Throws after all was looked after, where some of it failed. */
export async function handler(): Promise<void> {
  const { kinds, leftovers } = sweptRows(stores);
  const work = [...kinds, ...sweptWebhooks(stores).kinds].map(async (rows) => {
    const sent = await sweep(rows, queue);
    if (sent) log.info({ kind: rows.kind, sent }, "rows that want a worker were sent");
  });
  const outcomes = await Promise.allSettled([...work, leftovers && clearLeftovers(leftovers)]);
  const failures = outcomes
    .filter(({ status }) => status === "rejected")
    .map((outcome) => "reason" in outcome && outcome.reason);
  if (failures.length > 0) throw new AggregateError(failures, "not everything was swept");
}
