/** Lets browsers call with any of the SDK's many `x-stainless-*` headers. Keys travel in a header, never in a cookie. */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";

const origin = "*";

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
  "content-disposition",
];

const preflight = cors({ origin, allowMethods: ["GET", "HEAD", "POST", "DELETE"], exposeHeaders, maxAge: 600 });
const exposed = exposeHeaders.join(",");

export const allowBrowsers: MiddlewareHandler = async (c, next) => {
  if (c.req.method === "OPTIONS") return preflight(c, next);
  // The framework's own sets them on an answer of its own, out of which and the handler's a third is then made.
  c.header("access-control-allow-origin", origin);
  c.header("access-control-expose-headers", exposed);
  await next();
};
