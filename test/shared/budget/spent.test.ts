/** What a month cost is the sum of its records, however often and by whom it is summed up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { monthAt, spentNanos } from "../../../shared/budget/spent.ts";
import type { MonthSum } from "../../../shared/schemas/budget.ts";
import type { UsageRecord } from "../../../shared/schemas/usage.ts";

const at = (text: string) => Date.parse(text);

function history(records: readonly { time: string; nanos: number }[]) {
  const sums = new Map<string, MonthSum>();
  const reads: number[] = [];
  return {
    reads,
    stores: {
      budgets: {
        sum: async (_project: string, month: string) => sums.get(month),
        async putSum(_project: string, month: string, sum: MonthSum, before: MonthSum | undefined) {
          if (sums.get(month)?.through !== before?.through) return false;
          sums.set(month, sum);
          return true;
        },
      },
      usage: {
        async *stream(_project: string, from: number, to: number) {
          reads.push(from);
          for (const { time, nanos } of records) {
            const created_at = at(time) / 1000;
            if (created_at >= from && created_at < to) yield { nanos, created_at } as UsageRecord;
          }
        },
      },
    },
  };
}

test("months are UTC's", () => {
  assert.equal(monthAt(at("2026-11-30T23:59:59Z")).name, "2026-11");
  assert.deepEqual(monthAt(at("2026-12-01T00:00:00Z")), {
    ...{ name: "2026-12", start: at("2026-12-01T00:00:00Z") / 1000, end: at("2027-01-01T00:00:00Z") / 1000 },
  });
});

test("a new month begins with nothing spent", async () => {
  const { stores } = history([
    { time: "2026-11-30T23:59:59Z", nanos: 5 },
    { time: "2026-12-01T00:00:00Z", nanos: 7 },
  ]);
  assert.equal(await spentNanos(stores, "p", at("2026-11-30T23:59:59Z")), 5);
  assert.equal(await spentNanos(stores, "p", at("2026-12-01T00:00:01Z")), 7);
});

test("what is old is read once, and a record that comes late counts all the same", async () => {
  const records = [
    { time: "2026-11-02T00:00:00Z", nanos: 1 },
    { time: "2026-11-09T11:50:00Z", nanos: 10 },
  ];
  const { stores, reads } = history(records);
  const now = at("2026-11-09T12:00:00Z");
  assert.equal(await spentNanos(stores, "p", now), 11);
  records.push({ time: "2026-11-09T11:46:00Z", nanos: 100 });
  assert.equal(await spentNanos(stores, "p", now + 1000), 111);
  assert.deepEqual(reads, [at("2026-11-01T00:00:00Z") / 1000, at("2026-11-09T11:45:00Z") / 1000]);
});
