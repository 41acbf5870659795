/** How a limit that was reached is told: what to wait for, and whether waiting helps. */
import { ApiError } from "../errors.ts";
import type { Refused } from "./limiter.ts";

/** The SDK sleeps no longer, and for whoever would have to, trying again by itself is no help. */
const longestWait = 60_000;

const units: Record<string, string> = {
  requests: "requests per minute",
  tokens: "tokens per minute",
  jobs: "fine-tuning jobs per day",
};

/** As OpenAI's headers have it: `250ms`, `1s`, `6m0s`. */
export function durationOf(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

export function waitFor({ of, bucket, limit, tokens, milliseconds }: Refused): ApiError {
  const reached = `Rate limit reached for ${of}: ${limit} ${units[bucket]}.`;
  if (milliseconds === Number.POSITIVE_INFINITY) {
    const message = `${reached} This request alone has about ${tokens} ${bucket}.`;
    return new ApiError("rate_limit_exceeded", message);
  }
  const message = `${reached} Try again in ${durationOf(milliseconds)}.`;
  const retryMilliseconds = Math.max(1, milliseconds);
  return new ApiError("rate_limit_exceeded", message, retryMilliseconds > longestWait ? {} : { retryMilliseconds });
}
