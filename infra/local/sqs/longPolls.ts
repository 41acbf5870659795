/** Long polls asleep until their queue has something, their time is up, or their client is gone. */
import { setTimeout as delay } from "node:timers/promises";

export class LongPolls {
  readonly #waiting = new Map<string, Set<AbortController>>();
  readonly #closing = new AbortController();

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Every waiting poll of the queue looks again; all but the first few find nothing and sleep on. */
  wake(queue: string): void {
    for (const poll of this.#waiting.get(queue) ?? []) poll.abort();
  }

  /** Lets all polls return, so that the server can close. */
  close(): void {
    this.#closing.abort();
  }

  /** Resolves after `milliseconds`, or earlier when woken, when `signal` aborts, or on close. Never rejects. */
  async sleep(queue: string, milliseconds: number, signal: AbortSignal): Promise<void> {
    const poll = new AbortController();
    const polls = this.#waiting.get(queue) ?? new Set();
    this.#waiting.set(queue, polls.add(poll));
    const wakers = AbortSignal.any([poll.signal, signal, this.#closing.signal]);
    await delay(milliseconds, undefined, { signal: wakers }).catch(() => {});
    polls.delete(poll);
    if (!polls.size) this.#waiting.delete(queue);
  }
}
