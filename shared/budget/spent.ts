/** What a project has spent in a month, from its usage records; what is settled of them is summed up once. */
import type { Budgets } from "../stores/budgets.ts";
import type { UsageStore } from "../stores/usage.ts";

/** A record lies at the time of its inference, and is written when that ends: none comes later than this. */
const lateSeconds = 15 * 60;
/** What has been read is summed up for the next look when it is of so many seconds. */
const worthSumming = 5 * 60;
const minuteSeconds = 60;

export interface Month {
  /** Such as `2026-11`. */
  name: string;
  /** Unix times in seconds. */
  start: number;
  end: number;
}

/** In UTC. */
export function monthAt(milliseconds: number): Month {
  const at = new Date(milliseconds);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return {
    name: at.toISOString().slice(0, 7),
    start: Date.UTC(year, month) / 1000,
    end: Date.UTC(year, month + 1) / 1000,
  };
}

export interface SpentStores {
  budgets: Pick<Budgets, "sum" | "putSum">;
  usage: Pick<UsageStore, "stream">;
}

/** In billionths of the currency's unit, in the month that `now` is in. */
export async function spentNanos({ budgets, usage }: SpentStores, project: string, now = Date.now()): Promise<number> {
  const month = monthAt(now);
  const before = await budgets.sum(project, month.name);
  const from = before ?? { through: month.start, nanos: 0 };
  const minute = Math.floor((now / 1000 - lateSeconds) / minuteSeconds) * minuteSeconds;
  const through = Math.max(from.through, minute);
  let [nanos, settled] = [from.nanos, from.nanos];
  for await (const record of usage.stream(project, from.through, month.end)) {
    nanos += record.nanos;
    if (record.created_at < through) settled += record.nanos;
  }
  // Of two that sum up at once the first one's sum stands; both are right.
  if (through - from.through >= worthSumming) {
    await budgets.putSum(project, month.name, { through, nanos: settled }, before);
  }
  return nanos;
}
