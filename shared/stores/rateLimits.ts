/** Rows of what projects may use, where it is not what the deployment lets any, and of what they may use of one model. */
import { z } from "zod";
import {
  KeyLimits,
  type ModelLimits,
  modelLimitId,
  modelOfLimit,
  RateLimitRecord,
  rateLimitId,
} from "../schemas/rateLimit.ts";
import type { Table, TransactWrite } from "./table.ts";

/** As far as there are rows. */
export interface ProjectLimits {
  project: RateLimitRecord;
  models: ModelLimits;
}

export interface RateLimits {
  get(project: string): Promise<ProjectLimits>;
  put(project: string, record: RateLimitRecord, also: readonly TransactWrite[]): Promise<void>;
  /** Without a row where it has no limits. */
  putModel(project: string, model: string, limits: KeyLimits, also: readonly TransactWrite[]): Promise<void>;
}

const Row = RateLimitRecord.extend({ sk: z.string() });

/** More models than a project can list. */
const mostLimits = 10_001;

const partition = (project: string) => `${project}#rate_limit`;
const keyOf = (project: string, id = rateLimitId) => ({ pk: partition(project), sk: id });

export function createRateLimits(table: Table): RateLimits {
  return {
    async get(id) {
      const rows = (await table.query(partition(id), { limit: mostLimits })).map((item) => Row.parse(item));
      const project = rows.find(({ sk }) => sk === rateLimitId) ?? {};
      const models = rows.flatMap(({ sk, ...row }): [string, KeyLimits][] => {
        const model = modelOfLimit(sk);
        return model === undefined ? [] : [[model, KeyLimits.parse(row)]];
      });
      return { project: RateLimitRecord.parse(project), models: new Map(models) };
    },
    async put(project, record, also) {
      await table.transact([{ type: "put", key: keyOf(project), item: record }, ...also]);
    },
    async putModel(project, model, limits, also) {
      const key = keyOf(project, modelLimitId(model));
      const write: TransactWrite = Object.keys(limits).length
        ? { type: "put", key, item: limits }
        : { type: "delete", key };
      await table.transact([write, ...also]);
    },
  };
}
