/** Which deployment the tool works on: the environment's, or else the one that `npm start` runs on this machine. */
import { createAwsClients } from "../../shared/aws.ts";
import { parseConfig } from "../../shared/config.ts";
import { isRunning } from "../../shared/processLife.ts";
import { createStores, type Stores } from "../../shared/stores/stores.ts";
import { readState } from "../local/state.ts";
import { Refusal } from "./refusal.ts";

export interface OpenDeployment {
  stores: Stores;
  close(): void;
}

/** Sets this process's environment, where the AWS clients look for endpoints and credentials. */
export function openDeployment(environment: NodeJS.ProcessEnv, home: string): OpenDeployment {
  Object.assign(environment, environment.MILLRACE_QUEUE_URL ? {} : localEnvironment(home));
  const { table, bucket } = parseConfig(environment);
  const aws = createAwsClients();
  return {
    stores: createStores(aws, { table, bucket }),
    close() {
      for (const client of [aws.s3, aws.sqs, aws.dynamodb]) client.destroy();
    },
  };
}

function localEnvironment(home: string): Record<string, string> {
  const state = readState(home);
  if (state?.environment && isRunning(state.pid)) return state.environment;
  throw new Refusal(
    `No deployment: MILLRACE_QUEUE_URL is not set, and no Millrace runs on the state in ${home}. ` +
      "Run `npm start` (with the same MILLRACE_HOME), or set the environment of the deployment.",
  );
}
