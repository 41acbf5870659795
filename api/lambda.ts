/** The API as a Lambda function, save for the routes that run models: those are `inferenceLambda.ts`'s. */
import { ApiError } from "../shared/errors.ts";
import type { ModelHost } from "../shared/serving/host.ts";
import { openContainer } from "./container.ts";
import { answerWhole } from "./lambdaHandlers.ts";

async function refuse(): Promise<never> {
  throw new ApiError("unknown_url", "No models run here: the gateway should have sent this request elsewhere.");
}

const noModels: ModelHost = {
  classify: refuse,
  embed: refuse,
  generate: refuse,
  infer: refuse,
  attribute: refuse,
  prefetch() {},
  close: async () => {},
};

const { app, metrics } = openContainer(process.env, () => noModels);

export const handler = answerWhole(app, metrics);
