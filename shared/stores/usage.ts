/** Rows of usage, by project and minute. What is counted is told by the records' ids: a record that is there twice is one. */
import { newId } from "../ids.ts";
import { UsageRecord } from "../schemas/usage.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface UsageStore {
  /** Durable when it returns. All are of one minute; see `minuteOf`. */
  put(project: string, records: readonly UsageRecord[]): Promise<void>;
  /** Those from `from` until before `to`, Unix times in seconds, each once, ordered by minute. */
  stream(project: string, from: number, to: number): AsyncGenerator<UsageRecord>;
}

const page = 500;
const minuteSeconds = 60;
export const mostTogether = 500;

/** Sorts as text. */
export const minuteOf = ({ created_at }: Pick<UsageRecord, "created_at">) => minuteAt(created_at);
const minuteAt = (seconds: number) => String(Math.floor(seconds / minuteSeconds)).padStart(10, "0");

const keyOf = (project: string, minute: string, name: string) => ({ pk: `${project}#usage`, sk: `${minute}#${name}` });
const itemOf = (records: readonly UsageRecord[]) => ({ records: JSON.stringify(records) });

/** The records, all of one minute, as part of a transaction with the work they count; `name` is of that work. */
export function usageWrite(
  project: string,
  name: string,
  records: readonly [UsageRecord, ...UsageRecord[]],
): TransactWrite {
  return { type: "put", key: keyOf(project, minuteOf(records[0]), name), item: itemOf(records) };
}

export function createUsage(table: Table): UsageStore {
  return {
    async put(project, records) {
      const [first, ...others] = records;
      if (!first) return;
      await table.transact([usageWrite(project, others.length ? newId("request") : first.id, [first, ...others])]);
    },
    async *stream(project, from, to) {
      const end = minuteAt(to - 1);
      let minute = "";
      const seen = new Set<string>();
      for (let after = minuteAt(from); ; ) {
        const items = await table.query(`${project}#usage`, { limit: page, after });
        for (const { sk, records } of items) {
          const its = String(sk).slice(0, end.length);
          if (its > end) return;
          if (its !== minute) seen.clear();
          minute = its;
          for (const record of UsageRecord.array().parse(JSON.parse(String(records)))) {
            const isNew = seen.size < seen.add(record.id).size;
            if (isNew && record.created_at >= from && record.created_at < to) yield record;
          }
        }
        after = String(items.at(-1)?.sk ?? "");
        if (items.length < page) return;
      }
    },
  };
}
