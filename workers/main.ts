/** The worker process: the consumer with its tasks, and the sweeper beside it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAwsClients } from "../shared/aws.ts";
import { parseConfig, type WorkerQueue } from "../shared/config.ts";
import { guardHost } from "../shared/encryption/guardedHost.ts";
import { startDevice } from "../shared/engine/runtime/device.ts";
import { createEpisodeLookUp } from "../shared/inference/episodes.ts";
import { createFunctionRouting } from "../shared/inference/functionRouting.ts";
import { createModelLookUp } from "../shared/inference/modelLookUp.ts";
import { createRecentModels } from "../shared/inference/recentModels.ts";
import { createRecorder } from "../shared/inference/recorded.ts";
import { createLog } from "../shared/log.ts";
import { createQueue } from "../shared/queue.ts";
import { createBaseFiles } from "../shared/serving/baseFiles.ts";
import { createModelHost } from "../shared/serving/host.ts";
import { hostOptions } from "../shared/serving/hostOptions.ts";
import { createStores } from "../shared/stores/stores.ts";
import { openMetrics } from "../shared/telemetry/metrics.ts";
import { createSegments } from "../shared/telemetry/segments.ts";
import { createSealer } from "../shared/webhooks/sealer.ts";
import { createSender } from "../shared/webhooks/sender.ts";
import { startConsumer } from "./consumer.ts";
import { beat } from "./health.ts";
import { createProtection, type Protection } from "./protection.ts";
import { startSweeper } from "./sweeper.ts";
import { sweptRows, sweptWebhooks } from "./swept.ts";
import { PermanentFailure } from "./task.ts";
import { createTasks } from "./tasks/tasks.ts";
import { createLanes } from "./tasks/webhook/lanes.ts";
import { createWatch } from "./watch.ts";

const config = parseConfig(process.env);
const log = createLog(config, "worker");
const aws = createAwsClients();
const encryption = config.encryption && { ...config.encryption, refusal: cannotBeRead };
const stores = createStores(aws, { ...config, encryption });
const queue = createQueue(aws.sqs, config);

const devices = { device: config.device, threads: config.deviceThreads, memoryLimit: config.deviceMemoryBytes };
const bases = mkdtempSync(join(tmpdir(), "millrace-bases-"));
const host = guardHost(createModelHost(stores.objects, hostOptions(config)), stores.sealing);
const lanes = createLanes();
const sender = createSender({
  timeoutMilliseconds: config.webhookTimeoutSeconds * 1000,
  local: config.webhookLocal,
});
const metrics = openMetrics(config, "worker");
const tasks = createTasks({
  webhooks: { lanes, sender, sealer: createSealer(config.secretKeys) },
  recorder: createRecorder(stores.inferences, stores.exposures),
  episodes: createEpisodeLookUp(stores.episodes),
  routing: createFunctionRouting(stores),
  inference: {
    models: createModelLookUp(createRecentModels(stores)),
    host,
    moderationModel: config.moderationModel,
  },
  baseFiles: createBaseFiles(stores.objects, bases),
  stores,
  queue,
  config,
  log,
  metrics,
  startDevice: () => startDevice(devices),
});
const sendSegment = createSegments(config.xRayDaemon);
const protection = createProtection({ agent: config.ecsAgentUri, log });
/** Answers are worked on several at a time, so that the model host can batch them; of jobs a worker has one. */
const lanesOf: Record<WorkerQueue, { url: string; lanes: number; protection?: Protection }> = {
  jobs: { url: config.queueUrl, lanes: 1, protection },
  answers: { url: config.answerQueueUrl, lanes: config.answerQueueUrl === config.queueUrl ? 1 : 4 },
  light: {
    url: config.lightQueueUrl ?? config.queueUrl,
    lanes: config.lightQueueUrl === undefined ? 0 : 4,
    protection,
  },
};
const consumers = config.workerQueues.flatMap((name) => {
  const { url: queueUrl, lanes, ...more } = lanesOf[name];
  if (lanes === 0) return [];
  const watch = createWatch({ metrics, sendSegment, queue: name, lanes });
  const options = { sqs: aws.sqs, queueUrl, queue, tasks, visibilitySeconds: config.leaseSeconds, log, watch, ...more };
  return Array.from({ length: lanes }, () => startConsumer(options));
});
const sweeper = startSweeper(sweptRows(stores), queue, config.sweepSeconds, log);
const webhookSweepSeconds = 1;
const webhookSweeper = startSweeper(sweptWebhooks(stores), queue, webhookSweepSeconds, log);

/** Trying again does not bring a key back. */
function cannotBeRead(message: string): Error {
  return new PermanentFailure("encryption_key_deleted", message);
}

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log.info({ signal }, "worker stops");
  // Whoever takes longer is killed from outside, and says nothing: the row's lease tells its successor all the same.
  setTimeout(() => {
    log.error({ seconds: config.stopSeconds }, "work was not put down in time");
    process.exit(1);
  }, config.stopSeconds * 1000);
  sweeper.stop();
  webhookSweeper.stop();
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await lanes.idle();
  await Promise.all([host.close(), protection.end()]);
  metrics.stop();
  rmSync(bases, { recursive: true, force: true });
  process.exit(0);
}
process.on("SIGTERM", () => void stop("SIGTERM"));
process.on("SIGINT", () => void stop("SIGINT"));
process.on("disconnect", () => void stop("disconnect"));
if (config.healthFile !== undefined) beat(config.healthFile);
process.send?.({ ready: true });
log.info("worker is ready");
