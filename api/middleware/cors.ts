/**
 * Lets the browsers of some origins, or of all, call with any of the SDK's many `x-stainless-*` headers. Keys travel in a
 * header, never in a cookie: a page that has none can do nothing.
 */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";

const exposeHeaders = [
  "x-request-id",
  "x-should-retry",
  "idempotent-replayed",
  "x-millrace-model-digest",
  "x-millrace-episode",
  "x-millrace-function",
  "x-millrace-variant",
  "openai-processing-ms",
  "openai-version",
  "openai-organization",
  "retry-after",
  "retry-after-ms",
  ...["limit", "remaining", "reset"].flatMap((what) => [`x-ratelimit-${what}-requests`, `x-ratelimit-${what}-tokens`]),
  "content-disposition",
];

const exposed = exposeHeaders.join(",");

/** `origins` are such as `https://app.example`; "*" is all. */
export function allowBrowsers(origins: readonly string[]): MiddlewareHandler {
  const isOpen = origins.includes("*");
  const allowed = new Set(origins);
  const origin = isOpen ? "*" : [...origins];
  const preflight = cors({
    origin,
    allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    exposeHeaders,
    maxAge: 600,
  });
  return async (c, next) => {
    if (c.req.method === "OPTIONS") return preflight(c, next);
    const from = c.req.header("origin") ?? "";
    // The framework's own sets them on an answer of its own, out of which and the handler's a third is then made.
    if (isOpen || allowed.has(from)) {
      c.header("access-control-allow-origin", isOpen ? "*" : from);
      c.header("access-control-expose-headers", exposed);
    }
    if (!isOpen) c.header("vary", "Origin");
    await next();
  };
}
