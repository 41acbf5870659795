/** What was learnt is charged in the write that makes it last: a checkpoint's or the model's. What is lost costs nothing. */
import { cudaRefusal } from "../../../shared/engine/runtime/deviceChoice.ts";
import { newId } from "../../../shared/ids.ts";
import { nanosOf, nanosPerUnit, type Prices } from "../../../shared/pricing/prices.ts";
import type { JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import type { Receipt, UsageRecord } from "../../../shared/schemas/usage.ts";
import type { TransactWrite } from "../../../shared/stores/table.ts";
import { usageWrite } from "../../../shared/stores/usage.ts";
import type { Attempt } from "./attempt.ts";

export interface Charge {
  changes: Pick<JobRecord, "receipt">;
  writes: TransactWrite[];
}

/** Of the time since the last charge, and of the tokens by which `tokens`, learnt from since the start, exceeds the receipt's. */
export function charge(attempt: Attempt, tokens?: number): Charge {
  const { context, job, charged } = attempt;
  const { prices } = context.config;
  const now = Date.now();
  const milliseconds = now - charged.at;
  charged.at = now;
  const so_far = job.receipt ?? emptyReceipt(attempt, prices);
  const input_tokens = Math.max(0, (tokens ?? so_far.tokens) - so_far.tokens);
  const work = { kind: "fine_tuning" as const, model: job.model, is_batch: false, input_tokens, milliseconds };
  const record: UsageRecord = {
    // A range of steps goes without a name of its own: whoever holds no lease writes none of this.
    id: newId("attempt"),
    api_key_id: null,
    requests: job.receipt ? 0 : 1,
    output_tokens: 0,
    nanos: nanosOf(prices, work),
    created_at: Math.floor(now / 1000),
    ...work,
  };
  return { changes: { receipt: added(so_far, record) }, writes: [usageWrite(job.project_id, record.id, [record])] };
}

function emptyReceipt({ context }: Attempt, { currency }: Prices): Receipt {
  const { device } = context.config;
  const chosen = device === "auto" ? (cudaRefusal() ? "cpu" : "cuda") : device;
  return { seconds: 0, device: chosen, tokens: 0, price: { value: 0, currency } };
}

/** Whole milliseconds and billionths are added, so that the sum is that of the records to the digit. */
function added({ seconds, device, tokens, price }: Receipt, record: UsageRecord): Receipt {
  return {
    seconds: (Math.round(seconds * 1000) + record.milliseconds) / 1000,
    device,
    tokens: tokens + record.input_tokens,
    price: { ...price, value: (Math.round(price.value * nanosPerUnit) + record.nanos) / nanosPerUnit },
  };
}
