/** A queue of jobs as SQS keeps one: visible, in flight, given to whoever asks first, parked when too much goes wrong. */
import type { Clock } from "./fleetClock.ts";

export interface Job {
  readonly arrivedAt: number;
  /** What it takes a worker in all. */
  readonly seconds: number;
  /** Of them, those that a checkpoint holds. */
  kept: number;
  /** Attempts whose worker died. */
  failures: number;
  /** Of the first attempt. */
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** How often it was run to its end, or parked. */
  ends: number;
  buried: boolean;
}

export function newJob(arrivedAt: number, seconds: number): Job {
  return { arrivedAt, seconds, kept: 0, failures: 0, startedAt: undefined, endedAt: undefined, ends: 0, buried: false };
}

export interface QueueOptions {
  /** A job whose worker fell silent is visible again after this. */
  readonly visibilitySeconds: number;
  /** Failures after which a job is parked. */
  readonly maxAttempts: number;
}

type Take = (job: Job) => void;

export class JobQueue {
  readonly jobs: Job[] = [];
  /** When somebody last sent, received or deleted. */
  activeAt = Number.NEGATIVE_INFINITY;
  #visible: Job[] = [];
  #inFlight = 0;
  #pollers: Take[] = [];
  readonly #clock: Clock;
  readonly #options: QueueOptions;

  constructor(clock: Clock, options: QueueOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Visible and in flight. */
  get messages(): number {
    return this.#visible.length + this.#inFlight;
  }

  get visible(): number {
    return this.#visible.length;
  }

  get polled(): boolean {
    return this.#pollers.length > 0;
  }

  send(job: Job): void {
    this.jobs.push(job);
    this.#show(job);
  }

  /** `take` is called with the next job, now or when there is one; the function returned stops waiting. */
  poll(take: Take): () => void {
    this.#pollers.push(take);
    this.#give();
    return () => {
      this.#pollers = this.#pollers.filter((poller) => poller !== take);
    };
  }

  /** Its worker lets go of it: visible at once. */
  release(job: Job): void {
    this.#inFlight--;
    this.#show(job);
  }

  /** Its worker died. */
  abandon(job: Job): void {
    job.failures++;
    this.#clock.after(this.#options.visibilitySeconds, () => this.release(job));
  }

  finish(job: Job, buried = false): void {
    this.#inFlight--;
    job.ends++;
    job.buried = buried;
    job.endedAt = this.#clock.now;
    this.activeAt = this.#clock.now;
  }

  #show(job: Job): void {
    this.activeAt = this.#clock.now;
    this.#visible.push(job);
    this.#give();
  }

  #give(): void {
    while (this.#visible.length && this.#pollers.length) {
      const job = this.#visible.shift()!;
      this.#inFlight++;
      this.activeAt = this.#clock.now;
      if (job.failures >= this.#options.maxAttempts) this.finish(job, true);
      else this.#pollers.shift()!(job);
    }
  }
}
