/**
 * Structured logs, one JSON object a line. What is secret is not logged; should it be all the same, it is redacted by name, and
 * by what it looks like wherever it stands: in the message of somebody else's error, in an address, in a stack.
 */
import { type Logger, pino, stdSerializers } from "pino";
import type { Config } from "./config.ts";
import { currentTrace } from "./telemetry/trace.ts";

export type Log = Logger;

const names = [
  ...["authorization", "api_key", "secret", "signing_secret", "password", "token", "cookie", "idempotency_key"],
  ...['["x-api-key"]', '["idempotency-key"]'],
];

/** By what they begin with, the keys this service gives out; then what AWS signs with, and what any client authorizes with. */
const secretPattern =
  /\bsk-(?:admin-)?[\w-]{8,}|\bwhsec_[\w+/=]{8,}|\b(Bearer|Basic) +[\w.~+/=-]{4,}|\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"\\]+|\b(AWS4-HMAC-SHA256) [^"\\]+/g;

/** V8 quotes the text that it could not parse: a customer's. */
const quotedPattern = /(?:\.\.\.)?\\"(?:[^"\\]|\\[^"]|\\")*?\\"(?:\.\.\.)? is not valid JSON/g;

/** A line of the log without what looks like a secret. */
export function redacted(line: string): string {
  return line
    .replace(secretPattern, (_, scheme = "", name = "", algorithm = "") => {
      const kept = scheme || algorithm;
      return kept ? `${kept} [redacted]` : `${name}[redacted]`;
    })
    .replace(quotedPattern, "[text] is not valid JSON");
}

export function createLog(config: Pick<Config, "logLevel">, name: string): Log {
  return pino({
    name,
    level: config.logLevel,
    mixin: () => {
      const trace = currentTrace();
      return trace ? { trace_id: trace.id } : {};
    },
    // As pino does with `err`: an error's own fields are not enumerable, and it would be logged as {}.
    serializers: { error: stdSerializers.err },
    redact: {
      paths: names.flatMap((each) => [each, each.startsWith("[") ? `*${each}` : `*.${each}`]),
      censor: "[redacted]",
    },
    hooks: { streamWrite: redacted },
  });
}
