/** Simulated time: what is to happen, in the order of its time, and of its being arranged where times are equal. */

export interface Arranged {
  /** Seconds. */
  readonly at: number;
  cancel(): void;
}

interface Happening extends Arranged {
  readonly order: number;
  act: (() => void) | undefined;
}

export class Clock {
  now = 0;
  #arranged = 0;
  /** A binary heap: each comes before the two at twice its place. */
  readonly #heap: Happening[] = [];

  /** `act` is done when it is `at` seconds; what is cancelled is not done. */
  at(at: number, act: () => void): Arranged {
    if (!(at >= this.now)) throw new RangeError(`It is ${this.now} s; nothing can be arranged for ${at} s`);
    const happening: Happening = { at, order: this.#arranged++, act, cancel: () => (happening.act = undefined) };
    this.#heap.push(happening);
    this.#rise(this.#heap.length - 1);
    return happening;
  }

  after(seconds: number, act: () => void): Arranged {
    return this.at(this.now + seconds, act);
  }

  /** Does all that is arranged, and what that arranges, as long as `going` says so before each. */
  run(going: () => boolean = () => true): void {
    for (let next = this.#heap[0]; next && going(); next = this.#heap[0]) {
      this.#takeFirst();
      if (!next.act) continue;
      this.now = next.at;
      next.act();
    }
  }

  #takeFirst(): void {
    const last = this.#heap.pop()!;
    if (!this.#heap.length) return;
    this.#heap[0] = last;
    for (let place = 0; ; ) {
      const left = 2 * place + 1;
      const child = this.#precedes(left + 1, left) ? left + 1 : left;
      if (!this.#precedes(child, place)) return;
      this.#swap(child, place);
      place = child;
    }
  }

  #rise(from: number): void {
    for (let place = from; place > 0; ) {
      const parent = (place - 1) >> 1;
      if (!this.#precedes(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  #precedes(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (!one || !other) return false;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
