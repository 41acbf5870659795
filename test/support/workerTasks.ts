/** The workers' tasks in this process, with a model host of the test's own. */
import { parseConfig } from "../../shared/config.ts";
import { createEpisodeLookUp } from "../../shared/inference/episodes.ts";
import { createFunctionRouting } from "../../shared/inference/functionRouting.ts";
import { createModelLookUp } from "../../shared/inference/modelLookUp.ts";
import { createRecorder } from "../../shared/inference/recorded.ts";
import { createLog } from "../../shared/log.ts";
import { createBaseFiles } from "../../shared/serving/baseFiles.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { createSealer } from "../../shared/webhooks/sealer.ts";
import { createSender } from "../../shared/webhooks/sender.ts";
import type { Outcome, Tasks } from "../../workers/task.ts";
import type { WorkerContext } from "../../workers/tasks/context.ts";
import { createTasks } from "../../workers/tasks/tasks.ts";
import { createLanes } from "../../workers/tasks/webhook/lanes.ts";
import type { Cloud } from "./deployment.ts";

/** What a worker works with, but for the queue's consumer and devices to train on. */
export function workerContext(
  cloud: Pick<Cloud, "stores" | "queue" | "environment" | "home">,
  host: ModelHost,
): WorkerContext {
  const config = {
    ...parseConfig(cloud.environment),
    leaseSeconds: 2,
    pollSeconds: 0.05,
    logLevel: "silent" as const,
  };
  const { stores, queue } = cloud;
  return {
    stores,
    queue,
    config,
    log: createLog(config, "worker"),
    baseFiles: createBaseFiles(stores.objects, cloud.home),
    inference: { models: createModelLookUp(stores), host },
    recorder: createRecorder(stores.inferences, stores.exposures),
    episodes: createEpisodeLookUp(stores.episodes),
    routing: createFunctionRouting(stores),
    webhooks: {
      lanes: createLanes(),
      sealer: createSealer(config.secretKeys),
      sender: createSender({ timeoutMilliseconds: 1000, local: true }),
    },
    startDevice: () => {
      throw new Error("This test trains nothing");
    },
  };
}

/** Works on a row as if its message had come. */
export function workOn(
  context: WorkerContext,
  kind: keyof Tasks,
  row: { id: string; project_id: string },
  shutdown = new AbortController().signal,
): Promise<Outcome> {
  return createTasks(context)[kind]({ kind, project_id: row.project_id, id: row.id }, shutdown);
}
