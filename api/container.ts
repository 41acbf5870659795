/** Everything one API process holds: clients, stores and services, from the environment. Who opens it says who runs models. */
import { createAwsClients } from "../shared/aws.ts";
import { type Config, parseConfig } from "../shared/config.ts";
import { createLog } from "../shared/log.ts";
import { createQueue } from "../shared/queue.ts";
import type { ModelHost } from "../shared/serving/host.ts";
import type { Objects } from "../shared/stores/objects.ts";
import { createStores } from "../shared/stores/stores.ts";
import { createSealer } from "../shared/webhooks/sealer.ts";
import { createSender } from "../shared/webhooks/sender.ts";
import { createApp } from "./app.ts";
import { logRequests } from "./requestEvents.ts";
import { createServices } from "./services/services.ts";

export type OpenHost = (objects: Objects, config: Config) => ModelHost;

export function openContainer(environment: Record<string, string | undefined>, openHost: OpenHost) {
  const config = parseConfig(environment);
  const log = createLog(config, "api");
  const aws = createAwsClients();
  const stores = createStores(aws, config);
  const host = openHost(stores.objects, config);
  const services = createServices({
    stores,
    queue: createQueue(aws.sqs, config),
    host,
    observe: logRequests(log),
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
  return { config, log, app: createApp(services, config), close: () => host.close() };
}
