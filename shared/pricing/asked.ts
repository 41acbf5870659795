/** Models that were asked on behalf of other work: of a run, a grader, a queue, a comparison. */
import { type Metered, usageRecord } from "../inference/metered.ts";
import { sumOfUsage, type TokenUsage } from "../inference/usage.ts";
import type { UsageRecord } from "../schemas/usage.ts";
import type { Prices } from "./prices.ts";

/** One question. */
export interface Asked {
  endpoint: "/v1/decisions" | "/v1/chat/completions" | "/v1/embeddings";
  model: string;
  usage: TokenUsage;
}

/** Of each model one; `name` is of the work, and the same work at the same time counts once. */
export function meteredOf(name: string, asked: readonly Asked[], created_at: number): Metered[] {
  const alike = Map.groupBy(asked, ({ endpoint, model }) => `${endpoint}#${model}`);
  return Array.from(alike, ([key, all]) => {
    const { endpoint, model } = all[0]!;
    const usage = all.map((each) => each.usage).reduce(sumOfUsage);
    return { id: `${name}#${key}`, endpoint, model, usage, requests: all.length, created_at };
  });
}

export function recordsOf(prices: Prices, name: string, asked: readonly Asked[], created_at: number): UsageRecord[] {
  return meteredOf(name, asked, created_at).map((metered) => usageRecord(prices, metered));
}
