/** Inferences are counted before their answers are sent: those that end at about the same time share one write. */
import { setTimeout as pause } from "node:timers/promises";
import { timeOfId } from "../ids.ts";
import { nanosOf, type Prices } from "../pricing/prices.ts";
import type { UsageKind, UsageRecord } from "../schemas/usage.ts";
import { minuteOf, mostTogether, type UsageStore } from "../stores/usage.ts";
import type { TokenUsage } from "./usage.ts";

/** By the path of the endpoint. */
const kinds: Record<string, UsageKind> = {
  "/v1/chat/completions": "completions",
  "/v1/completions": "completions",
  "/v1/responses": "completions",
  "/v1/embeddings": "embeddings",
  "/v1/moderations": "moderations",
  "/v1/decisions": "decisions",
  "/v1/models/{id}/infer": "tensors",
};

export interface Metered {
  /** Of the inference, or of what stands for several of them. */
  id: string;
  endpoint: string;
  model: string;
  usage: TokenUsage;
  /** Absent: 1. */
  requests?: number;
  /** Absent: now, of which only its id tells. */
  created_at?: number;
  api_key_id?: string | null | undefined;
  is_batch?: boolean;
}

/** At the price of now. Throws where the endpoint is of no kind. */
export function usageRecord(prices: Prices, metered: Metered): UsageRecord {
  const { id, endpoint, model, usage, requests = 1, api_key_id = null, is_batch = false } = metered;
  const kind = kinds[endpoint];
  if (!kind) throw new Error(`${endpoint} is of no kind that is counted`);
  const created_at = metered.created_at ?? Math.floor(timeOfId(id) / 1000);
  const work = { kind, model, is_batch, requests, ...usage, milliseconds: 0 };
  return { ...work, id, api_key_id, created_at, nanos: nanosOf(prices, work) };
}

export interface Meter {
  /** Returns when it is durable. The same id again counts once. */
  add(project: string, metered: Metered): Promise<void>;
}

interface Lane {
  waiting: { record: UsageRecord; since: number; resolve(): void; reject(cause: unknown): void }[];
}

/**
 * How long a record waits for others: a write takes more processor time than the request it counts, so that a busy API
 * should make few of them, and requests that take long are the sign of one. In milliseconds, as `took` is.
 */
const companyWait = (took: number) => Math.min(10, took / 10);

export function createMeter(usage: Pick<UsageStore, "put">, prices: Prices): Meter {
  /** Of each project and minute, those that wait for the write on its way to end. */
  const lanes = new Map<string, Lane>();

  const drain = async (name: string, project: string, lane: Lane) => {
    while (lane.waiting.length) {
      const wait = companyWait(Date.now() - lane.waiting[0]!.since);
      if (wait >= 1) await pause(wait);
      const together = lane.waiting.splice(0, mostTogether);
      try {
        await usage.put(
          project,
          together.map(({ record }) => record),
        );
        for (const { resolve } of together) resolve();
      } catch (cause) {
        for (const { reject } of together) reject(cause);
      }
    }
    lanes.delete(name);
  };

  return {
    add(project, metered) {
      const record = usageRecord(prices, metered);
      const name = `${project}#${minuteOf(record)}`;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const lane = lanes.get(name);
      const since = metered.created_at === undefined ? timeOfId(metered.id) : Date.now();
      if (lane) lane.waiting.push({ record, since, resolve, reject });
      else {
        const opened: Lane = { waiting: [{ record, since, resolve, reject }] };
        lanes.set(name, opened);
        void drain(name, project, opened);
      }
      return promise;
    },
  };
}
