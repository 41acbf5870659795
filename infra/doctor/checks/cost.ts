/** What the examination was charged, by the deployment's own prices. */
import assert from "node:assert/strict";
import { type Checks, Skipped } from "../examine.ts";

interface Receipt {
  seconds: number;
  device: string;
  tokens: number;
  price: { value: number; currency: string };
}

export const cost: Checks = {
  async "the job has a receipt"({ client, made }) {
    if (!made.job || !made.model) throw new Skipped("no job succeeded");
    const job = (await client.fineTuning.jobs.retrieve(made.job)) as unknown as { receipt: Receipt | null };
    assert.ok(job.receipt, "it has none");
    const { seconds, device, tokens, price } = job.receipt;
    assert.ok(tokens > 0 && price.value >= 0, "it counts nothing");
    return `${price.value} ${price.currency} for ${tokens} tokens, ${seconds.toFixed(2)} s on ${device}`;
  },

  async "what was asked is counted"({ admin, settings }) {
    const owner = admin();
    if (!owner) throw new Skipped("give --admin-key");
    const start_time = Math.floor(Date.now() / 1000) - 3600;
    const headers = { authorization: `Bearer ${settings.adminKey}` };
    const ask = async (path: string) => {
      const query = { start_time, limit: 24 };
      type Bucket = { results: { num_model_requests?: number; amount?: { value: number; currency: string } }[] };
      return (await owner.get<{ data: Bucket[] }>(path, { query, headers })).data.flatMap(({ results }) => results);
    };
    const used = await ask("/organization/usage/decisions");
    const requests = used.reduce((sum, { num_model_requests = 0 }) => sum + num_model_requests, 0);
    assert.ok(requests > 0, "no decision was counted");
    const costs = await ask("/organization/costs");
    const total = costs.reduce((sum, { amount }) => sum + (amount?.value ?? 0), 0);
    return `${requests} decisions; ${Number(total.toPrecision(3))} ${costs[0]?.amount?.currency ?? ""} for the day so far`;
  },
};
