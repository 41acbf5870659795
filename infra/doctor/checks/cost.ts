/** What the examination was charged, by the deployment's own prices. */
import assert from "node:assert/strict";
import { type Checks, Skipped } from "../examine.ts";
import { trainingRows } from "../rows.ts";

interface Receipt {
  seconds: number;
  device: string;
  tokens: number;
  price: { value: number; currency: string };
}

interface Quote {
  object: string;
  valid: boolean;
  training_rows: number;
  validation_rows: number;
  trained_tokens: number;
  estimated_seconds: number;
  price: { value: number; currency: string };
}

/** Before the job that it speaks of. */
export const estimate: Checks = {
  async "what a job would cost is told before"({ client, made }) {
    if (!made.file) throw new Skipped("there is no file to learn from");
    const before = (await client.fineTuning.jobs.list({ limit: 1 })).data[0]?.id;
    const body = { model: "millrace-ngram", training_file: made.file, validate_only: true };
    const quote = await client.post<Quote>("/fine_tuning/jobs", { body });
    assert.equal(quote.object, "fine_tuning.job.quote", "it is no quote");
    assert.ok(quote.valid, "the file is taken for a wrong one");
    const rows = quote.training_rows + quote.validation_rows;
    assert.equal(rows, trainingRows.length, `it counts ${rows} rows, not ${trainingRows.length}`);
    assert.ok(quote.trained_tokens > 0 && quote.estimated_seconds > 0 && quote.price.value >= 0, "it tells nothing");
    assert.equal((await client.fineTuning.jobs.list({ limit: 1 })).data[0]?.id, before, "a job was made of it");
    const { price, trained_tokens, estimated_seconds } = quote;
    return `${price.value} ${price.currency} for ${trained_tokens} tokens, about ${estimated_seconds.toFixed(1)} s`;
  },
};

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
