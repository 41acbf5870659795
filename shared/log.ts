/** Structured logs, one JSON object a line. Secrets are redacted by name, as a second guard after not logging them. */
import { type Logger, pino, stdSerializers } from "pino";
import type { Config } from "./config.ts";

export type Log = Logger;

export function createLog(config: Pick<Config, "logLevel">, name: string): Log {
  return pino({
    name,
    level: config.logLevel,
    // As pino does with `err`: an error's own fields are not enumerable, and it would be logged as {}.
    serializers: { error: stdSerializers.err },
    redact: {
      paths: [
        "*.authorization",
        "authorization",
        "*.api_key",
        "api_key",
        "*.secret",
        "secret",
        "*.signing_secret",
        "signing_secret",
      ],
      censor: "[redacted]",
    },
  });
}
