/** Price tables: which row counts, amounts in whole billionths, and tables that cannot be used. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseConfig } from "../../../shared/config.ts";
import { nanosOf, Prices, readPrices, usualPrices } from "../../../shared/pricing/prices.ts";

const prices = Prices.parse({
  currency: "eur",
  batch_factor: 0.5,
  prices: [
    { kind: "completions", model: "ft:small*", per_million_input_tokens: 1, per_million_output_tokens: 4 },
    { kind: "completions", model: "*", per_million_output_tokens: 10 },
    { kind: "fine_tuning", model: "small", per_million_input_tokens: 2, per_hour: 3.6 },
    { kind: "tensors", model: "*", per_million_requests: 5 },
  ],
});

test("the first row that suits kind and model counts, and work of none is free", () => {
  const asked = { requests: 1, input_tokens: 1000, output_tokens: 100 };
  const nanos = (kind: "completions" | "embeddings", model: string) => nanosOf(prices, { kind, model, ...asked });
  assert.equal(nanos("completions", "ft:small:acme::x"), 1_400_000);
  assert.equal(nanos("completions", "small"), 1_000_000);
  assert.equal(nanos("embeddings", "small"), 0);
});

test("time, requests and batches are priced", () => {
  const hourly = { kind: "fine_tuning" as const, model: "small", milliseconds: 1000, input_tokens: 500_000 };
  assert.equal(nanosOf(prices, hourly), 1_001_000_000);
  assert.equal(nanosOf(prices, { kind: "tensors", model: "x", requests: 3 }), 15_000);
  const lines = { kind: "completions" as const, model: "x", output_tokens: 100, is_batch: true };
  assert.equal(nanosOf(prices, lines), 500_000);
});

test("a table from a file is the deployment's, and one that cannot be used is told at the start", () => {
  const home = mkdtempSync(join(tmpdir(), "millrace-prices-"));
  const path = join(home, "prices.json");
  const config = () => parseConfig({ ...urls, MILLRACE_PRICES: path });
  writeFileSync(path, JSON.stringify({ currency: "eur", prices: [] }));
  assert.equal(config().prices.currency, "eur");
  writeFileSync(path, JSON.stringify({ currency: "eur", prices: [{ kind: "gold", model: "*" }] }));
  assert.throws(config, /prices\.json.*kind/s);
  rmSync(home, { recursive: true });
  assert.throws(() => readPrices(path), /ENOENT/);
  assert.equal(parseConfig(urls).prices, usualPrices);
});

const urls = { MILLRACE_QUEUE_URL: "http://q", MILLRACE_DEAD_LETTER_QUEUE_URL: "http://d" };
