/** What was looked up a moment ago, so that a busy client's every request does not ask the table for the same rows. */
import { LRUCache } from "lru-cache";

/** Whatever is changed elsewhere holds everywhere within this time, well under the five seconds that are promised. */
const recentMilliseconds = 2000;
/** How late a row may be found to be old: to look at the clock for each, and for each millisecond, costs more than the row. */
const clockMilliseconds = 100;
const mostKept = 10_000;

export interface Recent<Value> {
  /** Looked up at most once in two seconds; what is not there is looked up each time. */
  get(key: string): Promise<Value | undefined>;
  /** To be called by whoever changes it in this process. */
  forget(key: string): void;
}

export function createRecent<Value extends object>(look: (key: string) => Promise<Value | undefined>): Recent<Value> {
  const kept = new LRUCache<string, Value>({
    max: mostKept,
    ttl: recentMilliseconds,
    ttlResolution: clockMilliseconds,
    fetchMethod: look,
  });
  return { get: async (key) => kept.get(key) ?? kept.fetch(key), forget: (key) => void kept.delete(key) };
}
