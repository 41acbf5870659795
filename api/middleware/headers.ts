/** What every answer tells browsers: to guess no types, to show it in nobody's frame, to keep no copy, and to come back by TLS. */
import type { MiddlewareHandler } from "hono";
import type { Env } from "../router.ts";

/** An answer is data: nothing of it may run, load or be framed. The reference page says for itself what it needs. */
const nothingRuns = "default-src 'none'; frame-ancestors 'none'";

/** `hstsSeconds`: how long browsers are to insist on TLS; 0 where the service is reached without. */
export function guardAnswers(hstsSeconds: number): MiddlewareHandler<Env> {
  return async (c, next) => {
    await next();
    // Not by `c.header`, which now makes another answer of the one there is, its body a stream.
    const { headers } = c.res;
    headers.set("x-content-type-options", "nosniff");
    headers.set("referrer-policy", "no-referrer");
    if (!headers.has("content-security-policy")) headers.set("content-security-policy", nothingRuns);
    // Keys, presigned addresses and customers' texts: no proxy and no browser's disk.
    if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
    if (hstsSeconds > 0) headers.set("strict-transport-security", `max-age=${hstsSeconds}; includeSubDomains`);
  };
}
