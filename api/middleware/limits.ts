/** How many requests, tokens and jobs a project's key may have, said in every answer's headers. */
import type { Context, MiddlewareHandler } from "hono";
import type { AllowanceState } from "../../shared/limits/allowance.ts";
import { type Limiter, type LimitStates, type Subject, tightest } from "../../shared/limits/limiter.ts";
import { durationOf, waitFor } from "../../shared/limits/told.ts";
import type { Env } from "../router.ts";

/** They ask models here and now, and what they read and write is counted by the minute. */
const readsTokens = /^\/v1\/(chat\/completions|completions|responses|decisions|embeddings|moderations)$/;
/** Of a body of text, in whatever script: what it is in truth is taken into account with the answer. */
const bytesPerToken = 4;

export function limitRequests(limiter: Limiter): MiddlewareHandler<Env> {
  return async (c, next) => {
    const subject = subjectOf(c);
    if (!subject) return next();
    const id = c.get("requestId");
    const asked = limiter.admit(subject, { id, tokens: estimate(c) });
    const refused = asked instanceof Promise ? await asked : asked;
    const states = limiter.states(subject);
    for (const what of counted) tell(states[what], what, (name, value) => c.header(name, value));
    if (refused) throw waitFor(refused);
    await next();
    const ofModel = limiter.modelStates(id);
    if (ofModel) tellTighter(c, ofModel, states);
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
  const opened = c.get("opened");
  if (opened.opens !== "project") return undefined;
  return { project: opened.project.id, key: opened.actor.key, limits: opened.limits, keyLimits: opened.keyLimits };
}

function estimate(c: Context<Env>): number {
  if (c.req.method !== "POST" || !readsTokens.test(c.req.path)) return 0;
  return Math.ceil(Number(c.req.header("content-length") ?? 0) / bytesPerToken) || 1;
}

const counted = ["requests", "tokens"] as const;

function tell(
  { limit, remaining, milliseconds }: AllowanceState,
  what: (typeof counted)[number],
  set: (name: string, value: string) => void,
): void {
  set(`x-ratelimit-limit-${what}`, String(limit));
  set(`x-ratelimit-remaining-${what}`, String(remaining));
  set(`x-ratelimit-reset-${what}`, durationOf(milliseconds));
}

/** The model's own limit where less is left of that than of what was told before the model was known. */
function tellTighter(c: Context, ofModel: Partial<LimitStates>, told: LimitStates): void {
  const tighter = tightest(told, ofModel);
  for (const what of counted) {
    if (tighter[what] !== told[what]) tell(tighter[what], what, (name, value) => c.res.headers.set(name, value));
  }
}
