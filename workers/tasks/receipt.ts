/** What is done is charged in the write that makes it last: to the project, to the row's receipt, and off what was reserved for it. */
import { cudaRefusal } from "../../shared/engine/runtime/deviceChoice.ts";
import { nanosPerUnit } from "../../shared/pricing/prices.ts";
import type { Receipt, UsageRecord } from "../../shared/schemas/usage.ts";
import { lowerWrite } from "../../shared/stores/budgets.ts";
import type { TransactWrite } from "../../shared/stores/table.ts";
import { usageWrite } from "../../shared/stores/usage.ts";
import type { WorkerContext } from "./context.ts";

export interface ChargedRow {
  project_id: string;
  id: string;
  receipt: Receipt | null;
  reserved_nanos?: number | undefined;
}

export interface Work {
  /** Of the work, the same whoever does it. */
  name: string;
  /** All of one minute. */
  records: readonly UsageRecord[];
  /** At work, beside what the records say. */
  milliseconds?: number;
  /** For the receipt; default: all of the records'. */
  tokens?: number;
  /** Whether the row ends in the same write, which settles what is left of the reservation. */
  ends?: boolean;
}

export interface Charge {
  changes: { receipt: Receipt };
  writes: TransactWrite[];
}

type Charging = Pick<WorkerContext, "config" | "metrics">;

/** Counted for graphs here already: whoever loses the race for the write is counted, too, and charges nothing. */
export function chargeRow({ config, metrics }: Charging, row: ChargedRow, work: Work): Charge {
  const { name, records, milliseconds = 0, ends = false } = work;
  const { tokens = sum(records, ({ input_tokens, output_tokens }) => input_tokens + output_tokens) } = work;
  const before = row.receipt ?? emptyReceipt(config);
  const charged = sum(records, (record) => record.nanos);
  const nanos = nanosIn(before) + charged;
  metrics?.add("Cost", row.project_id, charged / nanosPerUnit);
  const spent = milliseconds + sum(records, (record) => record.milliseconds);
  // Whole milliseconds and billionths are added, so that the sum is that of the records to the digit.
  const receipt: Receipt = {
    ...before,
    seconds: (Math.round(before.seconds * 1000) + spent) / 1000,
    tokens: before.tokens + tokens,
    price: { ...before.price, value: nanos / nanosPerUnit },
  };
  const [first, ...others] = records;
  const writes = first ? [usageWrite(row.project_id, name, [first, ...others])] : [];
  // What is charged now is not expected any more.
  if (row.reserved_nanos !== undefined && !ends) writes.push(lowerWrite(row, row.reserved_nanos - nanos));
  return { changes: { receipt }, writes };
}

function emptyReceipt({ device, prices }: WorkerContext["config"]): Receipt {
  const chosen = device === "auto" ? (cudaRefusal() ? "cpu" : "cuda") : device;
  return { seconds: 0, device: chosen, tokens: 0, price: { value: 0, currency: prices.currency } };
}

function sum(records: readonly UsageRecord[], of: (record: UsageRecord) => number): number {
  return records.reduce((total, record) => total + of(record), 0);
}

const nanosIn = ({ price }: Receipt) => Math.round(price.value * nanosPerUnit);
