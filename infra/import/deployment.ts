/** The deployment that is imported into: as the command says, else the environment, else what `npm start` runs here. */
import OpenAI from "openai";
import { readState } from "../local/state.ts";
import { Refusal } from "../models/refusal.ts";

export interface Where {
  "base-url"?: string | undefined;
  "api-key"?: string | undefined;
}

/** The SDK waits and asks again where the deployment is busy. */
const maxRetries = 5;

export function connect(where: Where, environment: NodeJS.ProcessEnv, home: string): OpenAI {
  const local = readState(home);
  const baseURL = where["base-url"] ?? environment.MILLRACE_BASE_URL ?? local?.base_url;
  // A key of this machine's deployment is none of another's.
  const ownKey = baseURL === local?.base_url ? local?.api_key : undefined;
  const apiKey = where["api-key"] ?? environment.MILLRACE_API_KEY ?? ownKey;
  if (baseURL && apiKey) return new OpenAI({ baseURL, apiKey, maxRetries });
  throw new Refusal(
    `No ${baseURL ? "API key" : "deployment"}: give --base-url and --api-key, set MILLRACE_BASE_URL and MILLRACE_API_KEY, or run \`npm start\`.`,
  );
}
