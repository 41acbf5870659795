/** How many requests, tokens and jobs a project's key may have, said in every answer's headers. */
import type { Context, MiddlewareHandler } from "hono";
import { ApiError } from "../../shared/errors.ts";
import type { AllowanceState } from "../../shared/limits/allowance.ts";
import type { Limiter, Refused, Subject } from "../../shared/limits/limiter.ts";
import type { Env } from "../router.ts";

/** They ask models here and now, and what they read and write is counted by the minute. */
const readsTokens = /^\/v1\/(chat\/completions|completions|responses|decisions|embeddings|moderations)$/;
/** Of a body of text, in whatever script: what it is in truth is taken into account with the answer. */
const bytesPerToken = 4;
/** The SDK sleeps no longer, and for whoever would have to, trying again by itself is no help. */
const longestWait = 60_000;

export function limitRequests(limiter: Limiter): MiddlewareHandler<Env> {
  return async (c, next) => {
    const subject = subjectOf(c);
    if (!subject) return next();
    const id = c.var.requestId;
    const asked = limiter.admit(subject, { id, tokens: estimate(c) });
    const refused = asked instanceof Promise ? await asked : asked;
    const { requests, tokens } = limiter.states(subject);
    tell(c, "requests", requests);
    tell(c, "tokens", tokens);
    if (refused) throw waitFor(refused);
    await next();
    // Nothing was read, so nothing is counted.
    if (c.res.status >= 400) limiter.settle(subject.project, subject.key, { id, tokens: 0 });
  };
}

/** Behind what knows requests that were sent before, as these make no job. */
export function limitJobs(limiter: Limiter): MiddlewareHandler<Env> {
  return async (c, next) => {
    const subject = c.req.method === "POST" ? subjectOf(c) : undefined;
    if (!subject) return next();
    const refused = await limiter.admitJob(subject);
    if (refused) throw waitFor(refused);
    await next();
    if (!(await madeJob(c))) await limiter.returnJob(subject);
  };
}

async function madeJob(c: Context<Env>): Promise<boolean> {
  if (c.res.status >= 400) return false;
  // One that is only asked for its price is none.
  const made: unknown = await c.res.clone().json();
  return typeof made === "object" && made !== null && "object" in made && made.object === "fine_tuning.job";
}

function subjectOf(c: Context<Env>): Subject | undefined {
  const { opened } = c.var;
  if (opened.opens !== "project") return undefined;
  return { project: opened.project.id, key: opened.actor.key, limits: opened.limits, keyLimits: opened.keyLimits };
}

function estimate(c: Context<Env>): number {
  if (c.req.method !== "POST" || !readsTokens.test(c.req.path)) return 0;
  return Math.ceil(Number(c.req.header("content-length") ?? 0) / bytesPerToken) || 1;
}

function tell(c: Context, what: "requests" | "tokens", { limit, remaining, milliseconds }: AllowanceState): void {
  c.header(`x-ratelimit-limit-${what}`, String(limit));
  c.header(`x-ratelimit-remaining-${what}`, String(remaining));
  c.header(`x-ratelimit-reset-${what}`, durationOf(milliseconds));
}

/** As OpenAI's headers have it: `250ms`, `1s`, `6m0s`. */
export function durationOf(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

const units: Record<string, string> = {
  requests: "requests per minute",
  tokens: "tokens per minute",
  jobs: "fine-tuning jobs per day",
};

function waitFor({ of, bucket, limit, tokens, milliseconds }: Refused): ApiError {
  const reached = `Rate limit reached for this ${of}: ${limit} ${units[bucket]}.`;
  if (milliseconds === Number.POSITIVE_INFINITY) {
    const message = `${reached} This request alone has about ${tokens} ${bucket}.`;
    return new ApiError("rate_limit_exceeded", message);
  }
  const message = `${reached} Try again in ${durationOf(milliseconds)}.`;
  const retryMilliseconds = Math.max(1, milliseconds);
  return new ApiError("rate_limit_exceeded", message, retryMilliseconds > longestWait ? {} : { retryMilliseconds });
}
