/** Results become durable part by part: two objects at most, and then the row says that they count. */
import { Readable } from "node:stream";
import { usageRecord } from "../../../shared/inference/metered.ts";
import { sumOfUsage, type TokenUsage } from "../../../shared/inference/usage.ts";
import type { BatchPart, BatchRecord } from "../../../shared/schemas/batch.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { Stopped } from "../../lease.ts";
import { type Charge, chargeRow } from "../receipt.ts";
import type { LineResult } from "./answerLine.ts";
import { type Attempt, record } from "./attempt.ts";

export type PartKind = LineResult["kind"];
export const partKinds = ["output", "errors"] as const satisfies readonly PartKind[];

/** A killed worker's successor does no more again than this, and what was in flight. */
const mostLines = 500;
const mostBytes = 8 * 1024 * 1024;
const mostMilliseconds = 5_000;

export class OpenPart {
  readonly results: LineResult[] = [];
  #bytes = 0;
  readonly since = Date.now();

  add(result: LineResult): void {
    this.results.push(result);
    this.#bytes += result.text.length;
  }

  get isFull(): boolean {
    const isOld = Date.now() - this.since > mostMilliseconds;
    return isOld || this.results.length >= mostLines || this.#bytes >= mostBytes;
  }
}

export function partKey({ project_id, id }: BatchRecord, { first, attempt }: BatchPart, kind: PartKind): string {
  return objectKeys.batchPart(project_id, id, first, attempt, kind);
}

/** Throws `Stopped` where the lease is lost; then the part counts for nothing and is gone. */
export async function storePart(attempt: Attempt, { results, since }: OpenPart): Promise<void> {
  const { context, batch, lease } = attempt;
  const last = results.at(-1);
  if (!last) return;
  const ofKind = (kind: PartKind) => results.filter((result) => result.kind === kind);
  const [completed, failed] = [ofKind("output").length, ofKind("errors").length];
  const part: BatchPart = { first: batch.next_line, attempt: lease.attempt, completed, failed };
  const { objects } = context.stores;
  const keys: string[] = [];
  for (const kind of partKinds) {
    const lines = ofKind(kind).map(({ text }) => `${text}\n`);
    if (lines.length === 0) continue;
    keys.push(partKey(batch, part, kind));
    await objects.put(keys.at(-1)!, Readable.from([Buffer.from(lines.join(""))]));
  }
  const { request_counts: counts } = batch;
  const charge = chargeOf(attempt, results, Date.now() - since);
  try {
    await record(
      attempt,
      {
        parts: [...batch.parts, part],
        next_line: last.line + 1,
        request_counts: { ...counts, completed: counts.completed + completed, failed: counts.failed + failed },
        usage: results.reduce((usage, result) => withUsage(usage, result.usage), batch.usage),
        is_late: batch.is_late || results.some(({ isLate }) => isLate),
        // Getting further ends a row of failures: only a batch that is stuck runs out of attempts.
        failures: 0,
        ...charge.changes,
      },
      charge.writes,
    );
  } catch (error) {
    // Of a write that was not heard of nobody knows whether the row names them by now.
    if (error instanceof Stopped) await Promise.all(keys.map((key) => objects.delete(key)));
    throw error;
  }
}

/** Of each model that answered, written with the part they are in. */
function chargeOf({ context, batch }: Attempt, results: readonly LineResult[], milliseconds: number): Charge {
  const name = `${batch.id}#${batch.next_line}`;
  const created_at = Math.floor(Date.now() / 1000);
  const models = Map.groupBy(results, ({ model }) => model);
  models.delete(null);
  const records = Array.from(models, ([model, lines]) => {
    const usage = lines.map((line) => line.usage).reduce(sumOfUsage);
    const work = { id: `${name}#${model}`, endpoint: batch.endpoint, model: model!, usage, requests: lines.length };
    return usageRecord(context.config.prices, { ...work, created_at, is_batch: true });
  });
  return chargeRow(context, batch, { name, records, milliseconds });
}

function withUsage(usage: BatchRecord["usage"], more: TokenUsage): BatchRecord["usage"] {
  const sum = sumOfUsage(usage, more);
  return { ...usage, ...sum, total_tokens: sum.input_tokens + sum.output_tokens };
}
