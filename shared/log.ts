/** Structured logs, one JSON object a line. Secrets are redacted by name, as a second guard after not logging them. */
import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

export type Log = Logger;

export function createLog(config: Pick<Config, "logLevel">, name: string): Log {
  return pino({
    name,
    level: config.logLevel,
    redact: {
      paths: ["*.authorization", "authorization", "*.api_key", "api_key", "*.secret", "secret"],
      censor: "[redacted]",
    },
  });
}
