/** Everything one API process holds: clients, stores and services, from the environment. Who opens it says who runs models. */
import { createAwsClients } from "../shared/aws.ts";
import { type Config, parseConfig } from "../shared/config.ts";
import { createLog } from "../shared/log.ts";
import { createQueue } from "../shared/queue.ts";
import type { ModelHost } from "../shared/serving/host.ts";
import type { Objects } from "../shared/stores/objects.ts";
import { createStores } from "../shared/stores/stores.ts";
import { openMetrics } from "../shared/telemetry/metrics.ts";
import { createSealer } from "../shared/webhooks/sealer.ts";
import { createSender } from "../shared/webhooks/sender.ts";
import { createApp } from "./app.ts";
import { logRequests, toBoth } from "./requestEvents.ts";
import { measureCost, measureRequests } from "./requestMetrics.ts";
import { createServices } from "./services/services.ts";

export type OpenHost = (objects: Objects, config: Config) => ModelHost;

export function openContainer(environment: Record<string, string | undefined>, openHost: OpenHost) {
  const config = parseConfig(environment);
  const log = createLog(config, "api");
  const aws = createAwsClients();
  const metrics = openMetrics(config, "api");
  const { usage, ...others } = createStores(aws, config);
  const stores = { ...others, usage: measureCost(usage, metrics) };
  const host = openHost(stores.objects, config);
  const services = createServices({
    stores,
    queue: createQueue(aws.sqs, config),
    host,
    observe: toBoth(logRequests(log), measureRequests(metrics)),
    maxUploadBytes: config.maxUploadBytes,
    moderationModel: config.moderationModel,
    limits: config.limits,
    prices: config.prices,
    heavyBytes: config.heavyBytes,
    answerWaitSeconds: config.answerWaitSeconds,
    webhooks: {
      sealer: createSealer(config.secretKeys),
      sender: createSender({
        timeoutMilliseconds: config.webhookTimeoutSeconds * 1000,
        local: config.webhookLocal,
      }),
      local: config.webhookLocal,
    },
  });
  const close = async () => {
    metrics.stop();
    await host.close();
  };
  return { config, log, metrics, app: createApp(services, config), close };
}
