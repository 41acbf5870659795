/**
 * What is to be known of requests until they are answered; the oldest are forgotten where there are too many. A plain map:
 * an LRU cache that loses its only entry clears its whole length, which every request of a lone client would pay for.
 */
export interface Pending<Value> {
  set(id: string, value: Value): void;
  get(id: string): Value | undefined;
  /** And forgets it. */
  take(id: string): Value | undefined;
}

export function createPending<Value>(most: number): Pending<Value> {
  const kept = new Map<string, Value>();
  return {
    set(id, value) {
      kept.set(id, value);
      if (kept.size <= most) return;
      const [oldest] = kept.keys();
      kept.delete(oldest!);
    },
    get: (id) => kept.get(id),
    take(id) {
      const value = kept.get(id);
      if (value !== undefined) kept.delete(id);
      return value;
    },
  };
}
