/** What a batch is expected to cost, by the size of its file and the model that its first line names. */
import { decodeUtf8, splitLines } from "../data/lines.ts";
import { usageRecord } from "../inference/metered.ts";
import type { Prices } from "../pricing/prices.ts";
import type { BatchRecord } from "../schemas/batch.ts";
import type { FileRecord } from "../schemas/file.ts";
import type { Budgets } from "../stores/budgets.ts";
import type { Objects } from "../stores/objects.ts";
import type { Quoted } from "./balance.ts";
import { estimate, shapeOf } from "./estimate.ts";

export const batchPaceName = (endpoint: string) => `batch#${endpoint}`;

interface Reads {
  budgets: Pick<Budgets, "paces">;
  objects: Pick<Objects, "get">;
}

export async function quoteBatch(
  { budgets, objects }: Reads,
  prices: Prices,
  { id, endpoint }: Pick<BatchRecord, "id" | "endpoint">,
  file: FileRecord,
): Promise<Quoted> {
  const name = batchPaceName(endpoint);
  const expected = estimate(shapeOf(name, "batch"), { bytes: file.bytes }, await budgets.paces(name));
  const usage = { input_tokens: expected.tokens, output_tokens: expected.output_tokens };
  const created_at = Math.floor(Date.now() / 1000);
  const model = (await firstModel(objects, file)) ?? "";
  const { nanos } = usageRecord(prices, { id, endpoint, model, usage, created_at, is_batch: true });
  return { nanos, tokens: expected.tokens + expected.output_tokens };
}

/** Undefined where the line is none of a batch: then the batch will say so. */
async function firstModel(objects: Reads["objects"], { object_key }: FileRecord): Promise<string | undefined> {
  const content = await objects.get(object_key);
  if (!content) return undefined;
  try {
    for await (const { bytes } of splitLines(content)) {
      const text = bytes && decodeUtf8(bytes);
      if (!text?.trim()) continue;
      const model: unknown = JSON.parse(text)?.body?.model;
      return typeof model === "string" ? model : undefined;
    }
  } catch {
    return undefined;
  } finally {
    content.destroy();
  }
  return undefined;
}
