/** What work is charged is on its receipt, in the project's usage, and among the figures of the worker. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../../shared/config.ts";
import { newId } from "../../../shared/ids.ts";
import { usageRecord } from "../../../shared/inference/metered.ts";
import { nanosPerUnit } from "../../../shared/pricing/prices.ts";
import { chargeRow } from "../../../workers/tasks/receipt.ts";

const urls = { MILLRACE_QUEUE_URL: "https://a/q", MILLRACE_DEAD_LETTER_QUEUE_URL: "https://a/d" };
const config = parseConfig({ ...urls, MILLRACE_DEVICE: "cpu" });
const row = { project_id: newId("project"), id: newId("batch"), receipt: null };
const usage = { input_tokens: 1_000_000, output_tokens: 0 };
const records = [1, 2].map(() =>
  usageRecord(config.prices, { id: newId("request"), endpoint: "/v1/embeddings", model: "millrace-embed-en", usage }),
);

test("graphs show what is charged, by project", () => {
  const counted: unknown[] = [];
  const metrics = { add: (...what: unknown[]) => void counted.push(what) };
  const { changes } = chargeRow({ config, metrics }, row, { name: "part", records });
  const { value } = changes.receipt.price;
  assert.ok(value > 0);
  assert.equal(value, (2 * records[0]!.nanos) / nanosPerUnit);
  assert.deepEqual(counted, [["Cost", row.project_id, value]]);
  const again = chargeRow({ config, metrics }, { ...row, ...changes }, { name: "next", records: records.slice(1) });
  assert.equal(again.changes.receipt.price.value, value * 1.5);
  assert.deepEqual(counted.at(-1), ["Cost", row.project_id, value / 2], "what was charged before is not counted again");
});
