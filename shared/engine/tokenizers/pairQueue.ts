/** A priority queue of counted pairs: the highest count first, of equals the lowest pair. */

export interface CountedPair {
  readonly count: number;
  readonly pair: number;
}

/** A binary heap in two flat arrays: millions of objects would cost more than the comparisons. */
export class PairQueue {
  readonly #counts: number[] = [];
  readonly #pairs: number[] = [];

  push(count: number, pair: number): void {
    let at = this.#counts.length;
    this.#set(at, count, pair);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#exchange(at, parent);
      at = parent;
    }
  }

  pop(): CountedPair | undefined {
    const [count, pair] = [this.#counts[0], this.#pairs[0]];
    if (count === undefined) return undefined;
    const [lastCount, lastPair] = [this.#counts.pop()!, this.#pairs.pop()!];
    if (this.#counts.length > 0) {
      this.#set(0, lastCount, lastPair);
      this.#sink();
    }
    return { count, pair: pair! };
  }

  #sink(): void {
    const length = this.#counts.length;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= length) return;
      const child = left + 1 < length && this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(child, at)) return;
      this.#exchange(at, child);
      at = child;
    }
  }

  #before(a: number, b: number): boolean {
    const difference = this.#counts[a]! - this.#counts[b]!;
    return difference > 0 || (difference === 0 && this.#pairs[a]! < this.#pairs[b]!);
  }

  #exchange(a: number, b: number): void {
    const [count, pair] = [this.#counts[a]!, this.#pairs[a]!];
    this.#set(a, this.#counts[b]!, this.#pairs[b]!);
    this.#set(b, count, pair);
  }

  #set(at: number, count: number, pair: number): void {
    this.#counts[at] = count;
    this.#pairs[at] = pair;
  }
}
