/** How a client says that it may have sent a request before. */
import type { Context } from "hono";
import type { Env } from "../router.ts";
import type { Attempt } from "../services/requestClaims.ts";

/** What is wrong with a count is no reason to refuse the request. */
export function attemptIn(c: Context<Env>): Attempt {
  const retryCount = Number.parseInt(c.req.header("x-stainless-retry-count") ?? "0", 10) || 0;
  return { idempotencyKey: c.req.header("idempotency-key"), retryCount, claimed: c.get("claimed") };
}
