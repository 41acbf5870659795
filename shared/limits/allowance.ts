/**
 * One bucket as one process sees it: the shares it holds of it, and when it will be full, as it was last told. Times are Unix
 * times in microseconds.
 */
import type { Move } from "../stores/buckets.ts";
import { createShares } from "./shares.ts";

export interface Limit {
  /** Tokens that a full bucket holds. */
  amount: number;
  /** In which time an empty one fills. */
  microseconds: number;
}

/** How long a share may be spent. What is left of it then is not given back: the bucket has filled by as much meanwhile. */
export const shareMicroseconds = 2e6;
/** Over which time the rate of spending is seen, and for which it is provided. */
const rateMicroseconds = 1e6;
/** Of what is left in the bucket: others want some, too. */
const largestPart = 1 / 4;

/** What to write, and what it brings. */
export interface Plan {
  move: Move;
  tokens: number;
  debt: number;
}

export interface AllowanceState {
  limit: number;
  remaining: number;
  /** Until the bucket is full. */
  milliseconds: number;
}

export class Allowance {
  readonly #bucket: string;
  readonly #shares = createShares();
  #limit: Limit = { amount: 0, microseconds: 1 };
  #fullAt = 0;
  #learnedAt = 0;
  /** Used, and not yet taken from the bucket. */
  #debt = 0;
  #indebtedAt = 0;
  #rate = 0;
  #ratedAt = 0;

  constructor(bucket: string) {
    this.#bucket = bucket;
  }

  /** Shares of another limit are dropped. */
  limitTo(next: Limit): void {
    if (this.#limit.amount === next.amount) return;
    this.#limit = next;
    this.#shares.clear();
  }

  held(now: number): number {
    return this.#shares.heldAt(now);
  }

  /** Only what is held. */
  spend(tokens: number, now: number): void {
    this.#shares.spend(tokens, now);
    this.#count(tokens, now);
  }

  /** What was used beyond what was spent, or, where negative, was spent and not used. */
  settle(tokens: number, now: number): void {
    this.#count(tokens, now);
    if (tokens > 0) {
      this.#debt += this.#shares.spend(tokens, now);
      this.#indebtedAt = now;
    } else {
      const repaid = Math.min(this.#debt, -tokens);
      this.#debt -= repaid;
      this.#shares.putBack(-tokens - repaid, now);
    }
  }

  /** How many can be had from the bucket at most, as far as is known: since then others may have taken. */
  room(now: number): number {
    return this.#roomFrom(now, now);
  }

  /** Whether it is time to ask for the next share. */
  isLow(now: number): boolean {
    const wished = this.#wish(now);
    return wished > 0 && this.#heldLong(now) < wished / 2;
  }

  /** To take what is needed, and a share where the rate of spending is worth one; undefined: nothing. */
  plan(needed: number, now: number): Plan | undefined {
    const most = this.#roomFrom(now, now + shareMicroseconds) - needed;
    const share = Math.max(0, Math.floor(Math.min(this.#wish(now) - this.#heldLong(now), most)));
    const tokens = needed + share;
    if (tokens === 0) return undefined;
    // The bucket has filled since.
    if (now - this.#indebtedAt > this.#limit.microseconds) this.#debt = 0;
    const debt = this.#debt;
    // What is held and not yet spent must not be filled up again meanwhile: see the README.
    const from = share > 0 ? now + shareMicroseconds : now;
    const until = now + this.#limit.microseconds - this.#timeFor(tokens);
    const by = this.#timeFor(tokens + debt);
    return { move: { bucket: this.#bucket, from, by, until, isFull: this.#fullAt < from }, tokens, debt };
  }

  /** `asked`: when the plan was made. */
  grant(plan: Plan, asked: number): void {
    this.#shares.add({ tokens: plan.tokens, until: asked + shareMicroseconds });
    this.#debt = Math.max(0, this.#debt - plan.debt);
  }

  /** When the bucket is full, as it was told now. */
  learn(fullAt: number, now: number): void {
    this.#fullAt = fullAt;
    this.#learnedAt = now;
  }

  /** False where what is known is of just now; else it is forgotten, so that the bucket is asked. */
  forget(now: number): boolean {
    if (now - this.#learnedAt < shareMicroseconds) return false;
    this.#fullAt = 0;
    return true;
  }

  /** Undefined where there is no need to: it is full again, whoever gives back. */
  giveBack(tokens: number, now: number): Move | undefined {
    if (this.#fullAt <= now) return undefined;
    const until = now + 2 * this.#limit.microseconds;
    return { bucket: this.#bucket, from: now, by: -this.#timeFor(tokens), until, isFull: false };
  }

  /** Microseconds until the bucket may have so many. */
  wait(tokens: number, now: number): number {
    return Math.max(0, this.#fullAt + this.#timeFor(tokens) - this.#limit.microseconds - now);
  }

  state(now: number): AllowanceState {
    const { amount } = this.#limit;
    const left = Math.floor(this.held(now) + this.room(now) - this.#debt);
    const milliseconds = Math.max(0, Math.ceil((this.#fullAt - now) / 1000));
    return { limit: amount, remaining: Math.min(amount, Math.max(0, left)), milliseconds };
  }

  #timeFor(tokens: number): number {
    return Math.ceil((tokens * this.#limit.microseconds) / this.#limit.amount);
  }

  #roomFrom(now: number, from: number): number {
    const { amount, microseconds } = this.#limit;
    return Math.floor(((now + microseconds - Math.max(this.#fullAt, from)) * amount) / microseconds);
  }

  /** Two of them are no more than what the bucket fills by while they live. */
  #wish(now: number): number {
    const { amount, microseconds } = this.#limit;
    const most = (amount * shareMicroseconds) / microseconds / 2;
    const part = this.#roomFrom(now, now + shareMicroseconds) * largestPart;
    return Math.max(0, Math.floor(Math.min(Math.round(this.#rateAt(now)), most, part)));
  }

  #heldLong(now: number): number {
    return this.#shares.heldAt(now + shareMicroseconds / 2);
  }

  /** Tokens in the last second or so. */
  #rateAt(now: number): number {
    return this.#rate * Math.exp(Math.min(0, this.#ratedAt - now) / rateMicroseconds);
  }

  #count(tokens: number, now: number): void {
    this.#rate = Math.max(0, this.#rateAt(now) + tokens);
    this.#ratedAt = now;
  }
}
