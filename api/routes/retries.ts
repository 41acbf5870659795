/** Headers by which a client says that it may have sent a request before. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";

export const retryHeaders = (noun: string) =>
  z.object({
    "idempotency-key": z
      .string()
      .max(256)
      .optional()
      .openapi({ description: `Same key within ten minutes: same ${noun}.` }),
    "x-stainless-retry-count": z.coerce
      .number()
      .int()
      .min(0)
      .default(0)
      .catch(0)
      .openapi({ type: "integer", description: `Sent by SDKs; from 1 on, the same body makes no second ${noun}.` }),
  });

/** Of a route whose contract leaves these headers out. */
export function attemptIn(c: Context): ReturnType<typeof attemptOf> {
  const retryCount = Number.parseInt(c.req.header("x-stainless-retry-count") ?? "0", 10) || 0;
  return { idempotencyKey: c.req.header("idempotency-key"), retryCount };
}

export function attemptOf(headers: z.infer<ReturnType<typeof retryHeaders>>) {
  return { idempotencyKey: headers["idempotency-key"], retryCount: headers["x-stainless-retry-count"] };
}
