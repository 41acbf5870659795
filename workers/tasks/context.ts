/** What every task works with. */
import type { Config } from "../../shared/config.ts";
import type { Device } from "../../shared/engine/runtime/device.ts";
import type { InferenceContext } from "../../shared/inference/endpoint.ts";
import type { EpisodeLookUp } from "../../shared/inference/episodes.ts";
import type { FunctionRouting } from "../../shared/inference/functionRouting.ts";
import type { Recorder } from "../../shared/inference/recorded.ts";
import type { Log } from "../../shared/log.ts";
import type { Queue } from "../../shared/queue.ts";
import type { BaseFiles } from "../../shared/serving/baseFiles.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Counting } from "../../shared/telemetry/metrics.ts";
import type { WebhookContext } from "../../shared/webhooks/deliver.ts";
import type { Lanes } from "./webhook/lanes.ts";

export interface WorkerContext {
  stores: Stores;
  queue: Queue;
  config: Config;
  log: Log;
  /** Absent: nobody counts. */
  metrics?: Counting;
  baseFiles: BaseFiles;
  startDevice(): Device;
  /** Answers requests in this process, by the code that answers them in the API. */
  inference: InferenceContext;
  /** Keeps what those projects want kept. */
  recorder: Recorder;
  episodes: EpisodeLookUp;
  /** Which variant answers a call of a function that was not decided before. */
  routing: FunctionRouting;
  webhooks: WebhookContext & { lanes: Lanes };
}
