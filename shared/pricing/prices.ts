/** What work costs: a table that an operator may replace, and amounts in whole billionths, so that sums are exact. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Quantities, UsageKind } from "../schemas/usage.ts";

const rate = z.number().min(0).max(1e6).default(0);

const Price = z.strictObject({
  kind: UsageKind,
  /** Id of a model; `*` at the end stands for any more characters. */
  model: z.string().min(1),
  per_million_requests: rate,
  per_million_input_tokens: rate,
  per_million_output_tokens: rate,
  per_hour: rate,
});

export const Prices = z.strictObject({
  /** Lower-case ISO 4217. */
  currency: z.string().regex(/^[a-z]{3}$/),
  /** Of the price, for lines of batches. */
  batch_factor: z.number().min(0).max(1).default(1),
  /** The first that suits kind and model counts; where none does, the work is free. */
  prices: z.array(Price),
});
export type Prices = z.infer<typeof Prices>;

export const usualPrices = readPrices(new URL("./prices.json", import.meta.url));

/** Throws an error that names the field at fault. */
export function readPrices(path: string | URL): Prices {
  try {
    return Prices.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const cause = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`The price table ${path} cannot be used: ${cause}`);
  }
}

export interface Work extends Partial<Quantities> {
  kind: UsageKind;
  model: string;
  is_batch?: boolean;
}

export const nanosPerUnit = 1e9;

export interface Amount {
  /** In the currency's unit. */
  value: number;
  /** Lower-case ISO 4217. */
  currency: string;
}

export function amountOf({ currency }: Pick<Prices, "currency">, nanos: number): Amount {
  return { value: nanos / nanosPerUnit, currency };
}
const millisecondsPerHour = 3_600_000;

/** In billionths of the currency's unit, rounded to the nearest. */
export function nanosOf({ prices, batch_factor }: Prices, work: Work): number {
  const price = prices.find(({ kind, model }) => kind === work.kind && suits(model, work.model));
  if (!price) return 0;
  const { requests = 0, input_tokens = 0, output_tokens = 0, milliseconds = 0 } = work;
  const perMillion =
    requests * price.per_million_requests +
    input_tokens * price.per_million_input_tokens +
    output_tokens * price.per_million_output_tokens;
  const amount = perMillion / 1e6 + (milliseconds * price.per_hour) / millisecondsPerHour;
  return Math.round(amount * nanosPerUnit * (work.is_batch ? batch_factor : 1));
}

function suits(pattern: string, model: string): boolean {
  return pattern.endsWith("*") ? model.startsWith(pattern.slice(0, -1)) : pattern === model;
}
