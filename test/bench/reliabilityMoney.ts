/** Whether what an organization is told of a project's usage, costs and month is the sum of the records, and nothing stays reserved. */
import { monthAt } from "../../shared/budget/spent.ts";
import { type UsageKind, type UsageRecord, usageKinds } from "../../shared/schemas/usage.ts";
import { toldBy, type Violation } from "./reliabilityChecks.ts";
import type { Session } from "./reliabilitySession.ts";

interface Counts {
  requests: number;
  input_tokens: number;
  output_tokens: number;
}

/** As the Admin API tells it; amounts in billionths of the currency's unit. */
export interface ToldMoney {
  usage: Partial<Record<UsageKind, Counts>>;
  cost: number;
  /** Since the month began, at this Unix time in seconds. */
  spent: number;
  since: number;
  reserved: number;
}

const fields = ["requests", "input_tokens", "output_tokens"] as const;
const nanosPerUnit = 1e9;
const nanosPerCent = 1e7;

export function moneyAddsUp(marker: string, told: ToldMoney, records: readonly UsageRecord[]): Violation[] {
  const wrong: string[] = [];
  const compare = (what: string, said: number, sum: number) => {
    if (said !== sum) wrong.push(`${what} of ${marker} are said to be ${said}, and are ${sum} by the records`);
  };
  for (const kind of usageKinds) {
    const mine = records.filter((record) => record.kind === kind);
    for (const field of fields) {
      compare(`${field} of ${kind}`, told.usage[kind]?.[field] ?? 0, sumOf(mine.map((record) => record[field])));
    }
  }
  const nanosOf = (some: readonly UsageRecord[]) => sumOf(some.map(({ nanos }) => nanos));
  compare("costs", told.cost, nanosOf(records));
  const ofMonth = records.filter(({ created_at }) => created_at >= told.since);
  compare("billionths spent this month", told.spent, nanosOf(ofMonth));
  if (told.reserved !== 0) wrong.push(`${told.reserved} of ${marker} stay reserved, and all has ended`);
  return toldBy("wrong", wrong);
}

interface BucketsOf<Result> {
  data: { results: Result[] }[];
}

export async function checkMoney(
  { admin, marker, project }: Session,
  records: readonly UsageRecord[],
): Promise<Violation[]> {
  const resultsOf = async <Result>(path: string) => {
    const start_time = Math.floor(Date.now() / 1000) - 86_400;
    const query = { start_time, bucket_width: "1d", project_ids: project, limit: 3 };
    return (await admin<BucketsOf<Result>>(`/v1/organization/${path}`, query)).data.flatMap(({ results }) => results);
  };
  const usage: ToldMoney["usage"] = {};
  for (const kind of usageKinds) {
    const results = await resultsOf<Omit<Counts, "requests"> & { num_model_requests: number }>(`usage/${kind}`);
    usage[kind] = {
      requests: sumOf(results.map(({ num_model_requests }) => num_model_requests)),
      input_tokens: sumOf(results.map(({ input_tokens }) => input_tokens)),
      output_tokens: sumOf(results.map(({ output_tokens }) => output_tokens)),
    };
  }
  const costs = await resultsOf<{ amount: { value: number } }>("costs");
  const month = await admin<{ spent_amount: number; reserved_amount: number }>(
    `/v1/organization/projects/${project}/spend_limit`,
    {},
  );
  const told: ToldMoney = {
    usage,
    cost: sumOf(costs.map(({ amount }) => Math.round(amount.value * nanosPerUnit))),
    since: monthAt(Date.now()).start,
    spent: Math.round(month.spent_amount * nanosPerCent),
    reserved: Math.round(month.reserved_amount * nanosPerCent),
  };
  return moneyAddsUp(marker, told, records);
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
