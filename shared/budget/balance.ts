/** What is left of a project's month: the limit, less what was spent, less what queued and running jobs may still cost. */
import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "../errors.ts";
import { amountOf, nanosPerUnit } from "../pricing/prices.ts";
import type { BudgetQuote, SpendLimitRecord } from "../schemas/budget.ts";
import type { Budgets } from "../stores/budgets.ts";
import { reserveWrites } from "../stores/budgets.ts";
import type { TransactWrite } from "../stores/table.ts";
import { type SpentStores, spentNanos } from "./spent.ts";

export interface BalanceStores extends SpentStores {
  budgets: Budgets;
}

export interface Balance {
  limit: SpendLimitRecord;
  spent: number;
  reserved: number;
}

/** All in billionths of the currency's unit; undefined: the project has no limit. */
export async function balanceOf(stores: BalanceStores, project: string): Promise<Balance | undefined> {
  const limit = await stores.budgets.limit(project);
  if (!limit) return undefined;
  // In this order: what is charged in between counts twice rather than not at all.
  const reservations = await stores.budgets.reservations(project);
  const spent = await spentNanos(stores, project);
  return { limit, spent, reserved: reservations.reduce((sum, { nanos }) => sum + nanos, 0) };
}

export const leftOf = ({ limit, spent, reserved }: Balance): number => limit.nanos - spent - reserved;

export interface Quoted {
  nanos: number;
  /** Read and written. */
  tokens: number;
  /** Absent: not known, and not charged. */
  seconds?: number;
}

export interface NewWork<Row> {
  row: { project_id: string; id: string };
  /** Asked for only where the project has a limit. */
  quote(): Promise<Quoted>;
  /** Stores the row with `writes`, or nothing; false where it is there, or one of them was refused. */
  create(writes: TransactWrite[], reserved: number | undefined): Promise<boolean>;
  /** The row, where it is there. */
  find(): Promise<Row | undefined>;
}

const longestPause = 40;

/**
 * Creates a row whose cost the month has room for, and reserves that in the same write: of two that fit, but not together,
 * one is accepted. Throws ApiError `insufficient_quota` with the quote, and then nothing is kept. Returns the row that was
 * there before, if any.
 */
export async function createWithin<Row>(
  stores: BalanceStores,
  currency: string,
  work: NewWork<Row>,
): Promise<Row | undefined> {
  let quoted: Quoted | undefined;
  for (;;) {
    const balance = await balanceOf(stores, work.row.project_id);
    if (balance) {
      quoted ??= await work.quote();
      if (quoted.nanos > leftOf(balance)) throw refusal(quoted, balance, currency);
    }
    const writes = balance && quoted ? reserveWrites(work.row, quoted.nanos, balance.limit) : [];
    if (await work.create(writes, balance && quoted?.nanos)) return undefined;
    const earlier = await work.find();
    if (earlier) return earlier;
    // Somebody else has reserved meanwhile: what is left is another sum.
    await pause(Math.random() * longestPause);
  }
}

function refusal(quoted: Quoted, { limit, spent, reserved }: Balance, currency: string): ApiError {
  const amount = (nanos: number) => amountOf({ currency }, nanos);
  const money = (nanos: number) => `${Number((nanos / nanosPerUnit).toFixed(6))} ${currency.toUpperCase()}`;
  const { nanos, tokens, seconds } = quoted;
  const time = seconds === undefined ? "" : ` in ${Math.ceil(seconds)} seconds`;
  const work = `about ${tokens.toLocaleString("en")} tokens${time}`;
  const room = `of this month's ${money(limit.nanos)}, ${money(spent)} are spent and ${money(reserved)} reserved for jobs`;
  const quote: BudgetQuote = {
    price: amount(nanos),
    tokens,
    estimated_seconds: seconds ?? null,
    spend_limit: amount(limit.nanos),
    spent: amount(spent),
    reserved: amount(reserved),
  };
  return new ApiError("insufficient_quota", `This is expected to cost ${money(nanos)} (${work}); ${room}.`, { quote });
}
