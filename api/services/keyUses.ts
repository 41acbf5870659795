/** When keys were last used: written behind the request, by each process once a minute for a key. */
import { LRUCache } from "lru-cache";
import type { KeyRecord } from "../../shared/schemas/apiKey.ts";
import type { KeyRows } from "../../shared/stores/apiKeyRows.ts";

const silentSeconds = 60;
const mostKeys = 10_000;

export interface KeyUses<Row> {
  /** Nobody waits for it, and what fails is written a minute later. */
  note(key: Row): void;
}

export function createKeyUses<Row extends KeyRecord>(rows: Pick<KeyRows<Row>, "used">): KeyUses<Row> {
  const told = new LRUCache<string, number>({ max: mostKeys });
  return {
    note(key) {
      const now = Math.floor(Date.now() / 1000);
      if (now - Math.max(key.last_used_at ?? 0, told.get(key.hash) ?? 0) < silentSeconds) return;
      told.set(key.hash, now);
      void rows.used(key, now).catch(() => {});
    },
  };
}
