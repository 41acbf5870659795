/**
 * The buckets of one owner, a project or a key, as one process draws on them: at once where it holds a share, else by one
 * write for all who wait. The next share is asked for before the old one is used up, and nobody waits for that.
 */
import type { Buckets } from "../stores/buckets.ts";
import { Allowance, type AllowanceState, type Limit, type Plan } from "./allowance.ts";

export interface Wanted {
  bucket: string;
  limit: Limit;
  tokens: number;
}

/** Why something may not be had now. */
export interface Refusal {
  bucket: string;
  limit: number;
  tokens: number;
  /** After how many milliseconds it may; infinite: never. */
  milliseconds: number;
}

interface Waiting {
  wanted: readonly Wanted[];
  resolve(refusal: Refusal | undefined): void;
  reject(cause: unknown): void;
}

export class Lease {
  readonly #owner: string;
  readonly #buckets: Buckets;
  readonly #now: () => number;
  readonly #allowances = new Map<string, Allowance>();
  readonly #waiting: Waiting[] = [];
  #isAsking = false;

  constructor(owner: string, buckets: Buckets, now: () => number) {
    this.#owner = owner;
    this.#buckets = buckets;
    this.#now = now;
  }

  /** All or nothing; undefined where it was had. No promise where nobody has to be asked. */
  take(wanted: readonly Wanted[]): Refusal | undefined | Promise<Refusal | undefined> {
    const time = this.#now();
    if (this.#waiting.length === 0 && this.#spend(wanted, time)) {
      if (!this.#isAsking && wanted.some((each) => this.#allowanceOf(each).isLow(time))) void this.#ask();
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<Refusal | undefined>();
    this.#waiting.push({ wanted, resolve, reject });
    if (!this.#isAsking) void this.#ask();
    return promise;
  }

  /** See `Allowance.settle`. */
  settle(bucket: string, tokens: number): void {
    this.#allowances.get(bucket)?.settle(tokens, this.#now());
  }

  /** What was not used after all goes back to the bucket. */
  async giveBack(bucket: string, tokens: number): Promise<void> {
    const allowance = this.#allowances.get(bucket);
    const move = allowance?.giveBack(tokens, this.#now());
    if (!allowance || !move) return;
    const { taken, levels } = await this.#buckets.take(this.#owner, [move]);
    if (taken) allowance.learn(levels[bucket]!, this.#now());
  }

  /** Undefined where none was taken yet. */
  state(bucket: string): AllowanceState | undefined {
    return this.#allowances.get(bucket)?.state(this.#now());
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      do {
        const time = this.#now();
        this.#serve(time);
        const plans = this.#plansAt(time);
        if (plans.length === 0) break;
        const moves = plans.map(({ plan }) => plan.move);
        const { taken, levels } = await this.#buckets.take(this.#owner, moves);
        for (const { allowance, plan } of plans) {
          allowance.learn(levels[plan.move.bucket]!, time);
          if (taken) allowance.grant(plan, time);
        }
        this.#serve(this.#now());
      } while (this.#waiting.length > 0);
    } catch (cause) {
      // The next one that needs it asks again.
      for (const { reject } of this.#waiting.splice(0)) reject(cause);
    } finally {
      this.#isAsking = false;
    }
  }

  /** Those first in line who have what they want, or cannot have it. */
  #serve(time: number): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const isServed = this.#spend(first.wanted, time);
      const refusal = isServed ? undefined : this.#refuse(first.wanted, time);
      if (!isServed && !refusal) return;
      this.#waiting.shift();
      first.resolve(refusal);
    }
  }

  #spend(wanted: readonly Wanted[], time: number): boolean {
    if (wanted.some((each) => this.#allowanceOf(each).held(time) < each.tokens)) return false;
    for (const each of wanted) this.#allowanceOf(each).spend(each.tokens, time);
    return true;
  }

  /** Undefined where it may be had, as far as is known. */
  #refuse(wanted: readonly Wanted[], time: number): Refusal | undefined {
    for (const each of wanted) {
      const { bucket, tokens, limit } = each;
      const allowance = this.#allowanceOf(each);
      const missing = tokens - allowance.held(time);
      const isPossible = tokens <= limit.amount;
      if (isPossible && (missing <= allowance.room(time) || allowance.forget(time))) continue;
      const microseconds = isPossible ? allowance.wait(missing, time) : Number.POSITIVE_INFINITY;
      return { bucket, tokens, limit: limit.amount, milliseconds: Math.ceil(microseconds / 1000) };
    }
    return undefined;
  }

  #plansAt(time: number): { allowance: Allowance; plan: Plan }[] {
    const sums = this.#wantedAt(time);
    return [...this.#allowances].flatMap(([bucket, allowance]) => {
      const needed = Math.max(0, (sums.get(bucket) ?? 0) - allowance.held(time));
      const plan = needed > 0 || allowance.isLow(time) ? allowance.plan(needed, time) : undefined;
      return plan ? [{ allowance, plan }] : [];
    });
  }

  /** What as many as possible of those who wait want together, by bucket. */
  #wantedAt(time: number): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { wanted } of this.#waiting) {
      const next = wanted.map((each) => (sums.get(each.bucket) ?? 0) + each.tokens);
      const fits = wanted.every((each, i) => {
        const allowance = this.#allowanceOf(each);
        return next[i]! - allowance.held(time) <= allowance.room(time);
      });
      if (!fits) break;
      wanted.forEach((each, i) => void sums.set(each.bucket, next[i]!));
    }
    return sums;
  }

  #allowanceOf({ bucket, limit }: Wanted): Allowance {
    const found = this.#allowances.get(bucket);
    const allowance = found ?? new Allowance(bucket);
    if (!found) this.#allowances.set(bucket, allowance);
    allowance.limitTo(limit);
    return allowance;
  }
}
