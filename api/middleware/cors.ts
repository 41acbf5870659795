/** Lets browsers call with any of the SDK's many `x-stainless-*` headers. Keys travel in a header, never in a cookie. */
import { cors } from "hono/cors";

export const allowBrowsers = cors({
  origin: "*",
  allowMethods: ["GET", "HEAD", "POST", "DELETE"],
  exposeHeaders: [
    "x-request-id",
    "x-should-retry",
    "x-millrace-model-digest",
    "openai-processing-ms",
    "openai-version",
    "openai-organization",
    "retry-after",
    "content-disposition",
  ],
  maxAge: 600,
});
