/** Questions gather while a batch runs, leave when they are called off, and are refused when too many wait. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { ApiError } from "../../../shared/errors.ts";
import { type BatcherOptions, createBatcher } from "../../../shared/serving/batcher.ts";

interface Run {
  lane: string;
  items: readonly string[];
  end(error?: Error): void;
}

/** A device whose runs end when the test says so. An item is as long as its name; an answer is the name in capitals. */
function deviceOf(limits: Partial<BatcherOptions<string, string>> = {}) {
  const runs: Run[] = [];
  const batcher = createBatcher<string, string>({
    run: (lane, items) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error ? reject(error) : resolve(items.map((item) => item.toUpperCase())));
        runs.push({ lane, items, end });
      }),
    lengthOf: ({ length }) => length,
    ...{ tokenBudget: 100, runTokens: 100, mostRows: 4, mostBatches: 2, mostWaiting: 50, maxWaitMilliseconds: 1 },
    ...limits,
  });
  return { runs, batcher };
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);

/** By trying every cut of what is sorted. */
function leastCost(
  sorted: readonly number[],
  limits: { mostRows: number; tokenBudget: number },
  costOf: (sizes: readonly number[]) => number,
): number {
  if (sorted.length === 0) return 0;
  const sizes = sorted.map((_, i) => i + 1);
  const fits = (size: number) =>
    size === 1 || (size <= limits.mostRows && size * sorted[size - 1]! <= limits.tokenBudget);
  return Math.min(
    ...sizes.filter(fits).map((size) => costOf(sorted.slice(0, size)) + leastCost(sorted.slice(size), limits, costOf)),
  );
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}

describe("a batcher", () => {
  it("runs a lone question at once, and those that come meanwhile together", async () => {
    const { runs, batcher } = deviceOf();
    const first = batcher.ask("a", "one");
    await settled();
    assert.deepEqual(runs[0]!.items, ["one"]);
    const second = batcher.ask("a", "two");
    await settled();
    const more = ["three", "four", "five"].map((item) => batcher.ask("a", item));
    await settled();
    assert.equal(runs.length, 2, "one runs and one lies ready");
    runs[0]!.end();
    assert.equal(await first, "ONE");
    await settled();
    assert.deepEqual([...runs[2]!.items].sort(), ["five", "four", "three"]);
    runs[1]!.end();
    runs[2]!.end();
    assert.deepEqual(await Promise.all([second, ...more]), ["TWO", "THREE", "FOUR", "FIVE"]);
  });

  it("puts questions of like length together, the oldest first, within rows and tokens", async () => {
    const { runs, batcher } = deviceOf({ mostRows: 3, tokenBudget: 30 });
    const items = ["x".repeat(5), "y".repeat(20), "z".repeat(6), "w".repeat(12), "v".repeat(21), "u".repeat(5)];
    const answers = Promise.all(items.map((item) => batcher.ask("a", item)));
    for (let run = 0; run < 4; run++) {
      await settled();
      runs[run]!.end();
    }
    await answers;
    assert.deepEqual(
      runs.map(({ items: taken }) => taken.map((item) => `${item[0]}${item.length}`)),
      [["x5", "u5", "z6"], ["y20"], ["w12"], ["v21"]],
    );
  });

  it("pads no further than a run of their own would cost", async () => {
    const { runs, batcher } = deviceOf({ mostRows: 9, runTokens: 10 });
    const lengths = [10, 9, 10, 30, 10, 8, 2, 28];
    const answers = Promise.all(lengths.map((length) => batcher.ask("a", "x".repeat(length))));
    for (let run = 0; run < 2; run++) {
      await settled();
      runs[run]!.end();
    }
    await answers;
    assert.deepEqual(
      runs.map(({ items }) => items.map(({ length }) => length)),
      [
        [2, 8, 9, 10, 10, 10],
        [28, 30],
      ],
    );
  });

  it("costs no more than any other way to cut what waits into runs", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), async (lengths) => {
        const limits = { mostRows: 4, tokenBudget: 60, runTokens: 12, mostBatches: 1 };
        const { runs, batcher } = deviceOf(limits);
        const answers = Promise.all(lengths.map((length) => batcher.ask("a", "x".repeat(length))));
        for (let run = 0; run < runs.length || run === 0; run++) {
          await settled();
          runs[run]?.end();
          await settled();
        }
        await answers;
        const costOf = (sizes: readonly number[]) => limits.runTokens + sizes.length * Math.max(...sizes);
        const cost = sum(runs.map(({ items }) => costOf(items.map(({ length }) => length))));
        assert.ok(
          cost <=
            leastCost(
              lengths.toSorted((a, b) => a - b),
              limits,
              costOf,
            ),
        );
      }),
    );
  });

  it("keeps lanes apart", async () => {
    const { runs, batcher } = deviceOf();
    const answers = Promise.all(["a", "b", "a", "b"].map((lane, i) => batcher.ask(lane, `${lane}${i}`)));
    await settled();
    assert.deepEqual(
      runs.map(({ lane, items }) => [lane, ...items]),
      [
        ["a", "a0", "a2"],
        ["b", "b1", "b3"],
      ],
    );
    for (const run of runs) run.end();
    assert.deepEqual(await answers, ["A0", "B1", "A2", "B3"]);
  });

  it("lets a question that is called off leave the batch", async () => {
    const { runs, batcher } = deviceOf({ mostRows: 1 });
    const running = [batcher.ask("a", "one"), batcher.ask("a", "two")];
    await settled();
    const controller = new AbortController();
    const calledOff = batcher.ask("a", "three", controller.signal);
    const kept = batcher.ask("a", "four");
    controller.abort(new Error("gone"));
    await assert.rejects(calledOff, /gone/);
    assert.equal(batcher.waiting, 1);
    for (let run = 0; run < 3; run++) {
      runs[run]!.end();
      await settled();
    }
    await Promise.all([...running, kept]);
    assert.deepEqual(
      runs.flatMap(({ items }) => items),
      ["one", "two", "four"],
    );
    await assert.rejects(batcher.ask("a", "five", controller.signal), /gone/);
  });

  it("refuses what would wait beyond the bound, and takes more once there is room", async () => {
    const { runs, batcher } = deviceOf({ mostRows: 1, mostWaiting: 2 });
    const asked: Promise<string>[] = [];
    for (const item of ["one", "two", "three", "four"]) {
      asked.push(batcher.ask("a", item));
      await settled();
    }
    const refused = (error: unknown) => error instanceof ApiError && error.status === 429 && error.shouldRetry;
    await assert.rejects(batcher.ask("a", "five"), refused);
    runs[0]!.end();
    await settled();
    asked.push(batcher.ask("a", "six"));
    for (let run = 1; run < 5; run++) {
      runs[run]!.end();
      await settled();
    }
    assert.deepEqual(await Promise.all(asked), ["ONE", "TWO", "THREE", "FOUR", "SIX"]);
  });

  it("tells a batch's failure to those in it, and goes on", async () => {
    const { runs, batcher } = deviceOf({ mostRows: 2 });
    const [first, second, third] = ["one", "two", "six"].map((item) => batcher.ask("a", item));
    await settled();
    runs[0]!.end(new Error("device died"));
    runs[1]!.end();
    await assert.rejects(first!, /device died/);
    await assert.rejects(second!, /device died/);
    assert.equal(await third, "SIX");
  });
});
