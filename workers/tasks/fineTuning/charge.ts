/** What was learnt is charged in the write that makes it last: a checkpoint's or the model's. What is lost costs nothing. */
import { newId } from "../../../shared/ids.ts";
import { nanosOf } from "../../../shared/pricing/prices.ts";
import type { UsageRecord } from "../../../shared/schemas/usage.ts";
import { type Charge, chargeRow } from "../receipt.ts";
import type { Attempt } from "./attempt.ts";

export interface Learnt {
  /** Since the start. */
  tokens: number;
  /** Whether the job ends with this. */
  ends?: boolean;
}

/** Of the time since the last charge, and of the tokens that are not on the receipt. */
export function charge(attempt: Attempt, { tokens, ends = false }: Learnt): Charge {
  const { context, job, charged } = attempt;
  const now = Date.now();
  const milliseconds = now - charged.at;
  charged.at = now;
  const input_tokens = Math.max(0, tokens - (job.receipt?.tokens ?? 0));
  const work = { kind: "fine_tuning" as const, model: job.model, is_batch: false, input_tokens, milliseconds };
  const record: UsageRecord = {
    // A range of steps goes without a name of its own: whoever holds no lease writes none of this.
    id: newId("attempt"),
    api_key_id: null,
    // A teacher that was asked before has taken no time.
    requests: job.receipt?.seconds ? 0 : 1,
    output_tokens: 0,
    nanos: nanosOf(context.config.prices, work),
    created_at: Math.floor(now / 1000),
    ...work,
  };
  return chargeRow(context, job, { name: record.id, records: [record], ends });
}
