/** What requests may have: of their key's own limits first, then of their project's, then of their model's. */
import { LRUCache } from "lru-cache";
import type { KeyLimits, Limits } from "../schemas/rateLimit.ts";
import type { Buckets } from "../stores/buckets.ts";
import type { AllowanceState, Limit } from "./allowance.ts";
import { Lease, type Refusal, type Wanted } from "./lease.ts";
import { createPending } from "./pending.ts";

/** Whose limits a request is within. */
export interface Subject {
  project: string;
  key: string;
  limits: Limits;
  keyLimits: KeyLimits;
}

/** A model that a project has a limit for. */
export interface LimitedModel {
  project: string;
  model: string;
  limits: KeyLimits;
}

export interface Used {
  /** Id of the request. */
  id: string;
  /** What it reads, as far as its size tells; 0: no model is asked. */
  tokens: number;
}

export interface LimitStates {
  requests: AllowanceState;
  tokens: AllowanceState;
}

export interface Limiter {
  /** Undefined where it may go on. No promise where this process holds what it takes. */
  admit(subject: Subject, used: Used): Refused | undefined | Promise<Refused | undefined>;
  /** Of a request that was admitted, when it is known which model it asks. */
  admitModel(model: LimitedModel, id: string): Promise<Refused | undefined>;
  /** What it read and wrote in truth. */
  settle(project: string, key: string | null | undefined, used: Used): void;
  /** A job, by the day. */
  admitJob(subject: Subject): Promise<Refused | undefined>;
  /** It came to none. */
  returnJob(subject: Subject): Promise<void>;
  /** The tightest of what the request is within. */
  states(subject: Subject): LimitStates;
  /** Of the model that the request asked, once; undefined where that has no limits. */
  modelStates(id: string): Partial<LimitStates> | undefined;
}

export interface Refused extends Refusal {
  /** Whose limit it is, such as `this project`. */
  of: string;
}

const minute = 60e6;
const day = 24 * 60 * minute;
const mostOwners = 10_000;
const mostUnsettled = 10_000;

const wantedOf = (limits: KeyLimits, tokens: number): Wanted[] => {
  const { max_requests_per_1_minute: requests, max_tokens_per_1_minute: most } = limits;
  const wanted: Wanted[] = [];
  if (requests !== undefined) wanted.push({ bucket: "requests", tokens: 1, limit: perMinute(requests) });
  if (most !== undefined && tokens > 0) wanted.push({ bucket: "tokens", tokens, limit: perMinute(most) });
  return wanted;
};

const perMinute = (amount: number): Limit => ({ amount, microseconds: minute });
const isLimited = (limits: KeyLimits) =>
  limits.max_requests_per_1_minute !== undefined || limits.max_tokens_per_1_minute !== undefined;

export function createLimiter(buckets: Buckets, now: () => number = () => Date.now() * 1000): Limiter {
  const leases = new LRUCache<string, Lease>({ max: mostOwners });
  /** What was taken for requests whose true use is not known yet, and from which model's buckets, too. */
  const taken = createPending<{ tokens: number; model?: Lease }>(mostUnsettled);
  /** Of requests whose model has limits, until that was told. */
  const asked = createPending<{ lease: Lease; limits: KeyLimits }>(mostUnsettled);

  const leaseOf = (owner: string): Lease => {
    const found = leases.get(owner);
    if (found) return found;
    const lease = new Lease(owner, buckets, now);
    leases.set(owner, lease);
    return lease;
  };
  const keyLease = (project: string, key: string) => leaseOf(`${project}#${key}`);

  const admitTo = (lease: Lease, limits: KeyLimits, { id, tokens }: Used, of: Refused["of"]) => {
    const named = (refusal: Refusal | undefined) => {
      if (refusal) return { ...refusal, of };
      if (tokens > 0) taken.set(id, { tokens });
      return undefined;
    };
    const answer = lease.take(wantedOf(limits, tokens));
    return answer instanceof Promise ? answer.then(named) : named(answer);
  };

  const job = (amount: number): Wanted => ({ bucket: "jobs", tokens: 1, limit: { amount, microseconds: day } });

  return {
    admit({ project, key, limits, keyLimits }, used) {
      const own = () => admitTo(leaseOf(project), limits, used, "this project");
      if (!isLimited(keyLimits)) return own();
      const lease = keyLease(project, key);
      const giveBack = (refused: Refused | undefined) => {
        if (refused) for (const { bucket, tokens } of wantedOf(keyLimits, used.tokens)) lease.settle(bucket, -tokens);
        return refused;
      };
      return (async () => (await admitTo(lease, keyLimits, used, "this API key")) ?? giveBack(await own()))();
    },
    async admitModel({ project, model, limits }, id) {
      const lease = leaseOf(`${project}#model#${model}`);
      asked.set(id, { lease, limits });
      const { tokens } = taken.get(id) ?? { tokens: 0 };
      const refusal = await lease.take(wantedOf(limits, tokens));
      if (refusal) return { ...refusal, of: `model '${model}'` };
      if (tokens > 0) taken.set(id, { tokens, model: lease });
      return undefined;
    },
    settle(project, key, { id, tokens }) {
      const before = taken.take(id);
      const difference = tokens - (before?.tokens ?? 0);
      if (difference === 0) return;
      leaseOf(project).settle("tokens", difference);
      before?.model?.settle("tokens", difference);
      if (key != null) leases.get(`${project}#${key}`)?.settle("tokens", difference);
    },
    async admitJob({ project, limits }) {
      const refusal = await leaseOf(project).take([job(limits.max_fine_tuning_jobs_per_1_day)]);
      return refusal && { ...refusal, of: "this project" };
    },
    returnJob: ({ project }) => leaseOf(project).giveBack("jobs", 1),
    states({ project, key, limits, keyLimits }) {
      const own = isLimited(keyLimits) ? keyLease(project, key) : undefined;
      return tightest(statesOf(leaseOf(project), limits), own && statesOf(own, keyLimits));
    },
    modelStates(id) {
      const found = asked.take(id);
      return found && statesOf(found.lease, found.limits);
    },
  };
}

function statesOf(lease: Lease, limits: Limits): LimitStates;
function statesOf(lease: Lease, limits: KeyLimits): Partial<LimitStates>;
function statesOf(lease: Lease, limits: KeyLimits): Partial<LimitStates> {
  const state = (bucket: string, limit: number) => lease.state(bucket) ?? { limit, remaining: limit, milliseconds: 0 };
  const { max_requests_per_1_minute: requests, max_tokens_per_1_minute: tokens } = limits;
  return {
    ...(requests !== undefined && { requests: state("requests", requests) }),
    ...(tokens !== undefined && { tokens: state("tokens", tokens) }),
  };
}

/** Of each the one of which less is left. */
export function tightest(whole: LimitStates, own: Partial<LimitStates> | undefined): LimitStates {
  const tighter = (a: AllowanceState, b = a) => (b.remaining < a.remaining ? b : a);
  return { requests: tighter(whole.requests, own?.requests), tokens: tighter(whole.tokens, own?.tokens) };
}
