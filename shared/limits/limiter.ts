/** What requests may have: of their key's own limits first, then of their project's. */
import { LRUCache } from "lru-cache";
import type { KeyLimits, Limits } from "../schemas/rateLimit.ts";
import type { Buckets } from "../stores/buckets.ts";
import type { AllowanceState, Limit } from "./allowance.ts";
import { Lease, type Refusal, type Wanted } from "./lease.ts";

/** Whose limits a request is within. */
export interface Subject {
  project: string;
  key: string;
  limits: Limits;
  keyLimits: KeyLimits;
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
  /** What it read and wrote in truth. */
  settle(project: string, key: string | null | undefined, used: Used): void;
  /** A job, by the day. */
  admitJob(subject: Subject): Promise<Refused | undefined>;
  /** It came to none. */
  returnJob(subject: Subject): Promise<void>;
  /** The tightest of what the request is within. */
  states(subject: Subject): LimitStates;
}

export interface Refused extends Refusal {
  of: "project" | "API key";
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
  /** What was taken for requests whose true use is not known yet. */
  const taken = new LRUCache<string, number>({ max: mostUnsettled });

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
      if (tokens > 0) taken.set(id, tokens);
      return undefined;
    };
    const asked = lease.take(wantedOf(limits, tokens));
    return asked instanceof Promise ? asked.then(named) : named(asked);
  };

  const job = (amount: number): Wanted => ({ bucket: "jobs", tokens: 1, limit: { amount, microseconds: day } });

  return {
    admit({ project, key, limits, keyLimits }, used) {
      const own = () => admitTo(leaseOf(project), limits, used, "project");
      if (!isLimited(keyLimits)) return own();
      const lease = keyLease(project, key);
      const giveBack = (refused: Refused | undefined) => {
        if (refused) for (const { bucket, tokens } of wantedOf(keyLimits, used.tokens)) lease.settle(bucket, -tokens);
        return refused;
      };
      return (async () => (await admitTo(lease, keyLimits, used, "API key")) ?? giveBack(await own()))();
    },
    settle(project, key, { id, tokens }) {
      const difference = tokens - (taken.get(id) ?? 0);
      taken.delete(id);
      if (difference === 0) return;
      leaseOf(project).settle("tokens", difference);
      if (key != null) leases.get(`${project}#${key}`)?.settle("tokens", difference);
    },
    async admitJob({ project, limits }) {
      const refusal = await leaseOf(project).take([job(limits.max_fine_tuning_jobs_per_1_day)]);
      return refusal && { ...refusal, of: "project" };
    },
    returnJob: ({ project }) => leaseOf(project).giveBack("jobs", 1),
    states({ project, key, limits, keyLimits }) {
      const whole = leaseOf(project);
      const own = isLimited(keyLimits) ? keyLease(project, key) : undefined;
      const tightest = (bucket: string, amount: number, ownAmount: number | undefined) => {
        const state = whole.state(bucket) ?? untouched(amount);
        if (!own || ownAmount === undefined) return state;
        const keyState = own.state(bucket) ?? untouched(ownAmount);
        return keyState.remaining < state.remaining ? keyState : state;
      };
      return {
        requests: tightest("requests", limits.max_requests_per_1_minute, keyLimits.max_requests_per_1_minute),
        tokens: tightest("tokens", limits.max_tokens_per_1_minute, keyLimits.max_tokens_per_1_minute),
      };
    },
  };
}

const untouched = (limit: number): AllowanceState => ({ limit, remaining: limit, milliseconds: 0 });
