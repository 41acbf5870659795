/** Rows of what projects may use, where it is not what the deployment lets any. */
import { RateLimitRecord, rateLimitId } from "../schemas/rateLimit.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface RateLimits {
  /** Empty where there is no row. */
  get(project: string): Promise<RateLimitRecord>;
  put(project: string, record: RateLimitRecord, also: readonly TransactWrite[]): Promise<void>;
}

const keyOf = (project: string) => ({ pk: `${project}#rate_limit`, sk: rateLimitId });

export function createRateLimits(table: Table): RateLimits {
  return {
    get: async (project) => RateLimitRecord.parse((await table.get(keyOf(project))) ?? {}),
    async put(project, record, also) {
      await table.transact([{ type: "put", key: keyOf(project), item: record }, ...also]);
    },
  };
}
