/** The routes that run models as a Lambda function, whose answers stream: one request at a time, so it is its own device. */
import { ownProcessDevice } from "../shared/engine/runtime/ownProcess.ts";
import { createModelHost } from "../shared/serving/host.ts";
import { hostOptions } from "../shared/serving/hostOptions.ts";
import { openContainer } from "./container.ts";
import { answerStreaming, type LambdaRuntime } from "./lambdaHandlers.ts";
import { claimScratchSpace } from "./scratchSpace.ts";

/** Lambda's runtime sets it before it loads this. */
const { awslambda } = globalThis as unknown as { awslambda: LambdaRuntime };

/** Files of models take half of the disk at most, the least recently used go first; the rest is for bases. */
const fileBytes = Math.floor(claimScratchSpace() / 2);

const { app, metrics } = openContainer(process.env, (objects, config) =>
  createModelHost(objects, { ...hostOptions(config), fileBytes, processes: 1, make: ownProcessDevice }),
);

export const handler = answerStreaming(app, awslambda, metrics);
