/** Everything one API process holds: clients, stores and the model host, from the environment. */
import { createAwsClients } from "../shared/aws.ts";
import { parseConfig } from "../shared/config.ts";
import { createLog } from "../shared/log.ts";
import { createQueue } from "../shared/queue.ts";
import { createModelHost } from "../shared/serving/host.ts";
import { hostOptions } from "../shared/serving/hostOptions.ts";
import { createStores } from "../shared/stores/stores.ts";
import { createSealer } from "../shared/webhooks/sealer.ts";
import { createSender } from "../shared/webhooks/sender.ts";
import { createApp } from "./app.ts";
import { logRequests } from "./requestEvents.ts";
import { createServices } from "./services/services.ts";

export function openContainer(environment: Record<string, string | undefined>) {
  const config = parseConfig(environment);
  const log = createLog(config, "api");
  const aws = createAwsClients();
  const stores = createStores(aws, config);
  const host = createModelHost(stores.objects, hostOptions(config));
  const services = createServices({
    stores,
    queue: createQueue(aws.sqs, config),
    host,
    observe: logRequests(log),
    maxUploadBytes: config.maxUploadBytes,
    moderationModel: config.moderationModel,
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
  return { config, log, app: createApp(services), close: () => host.close() };
}
