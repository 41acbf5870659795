/** Requests are bounded, answers keep their places, and an error ends it. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { concurrently } from "./concurrently.ts";

it("keeps the order and never exceeds the limit", async () => {
  let running = 0;
  let most = 0;
  const results = await concurrently([5, 1, 4, 2, 3], 2, async (turns) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    running--;
    return turns * 10;
  });
  assert.deepEqual(results, [50, 10, 40, 20, 30]);
  assert.equal(most, 2);
});

it("begins nothing after an error, and tells it", async () => {
  const begun: number[] = [];
  const work = concurrently([1, 2, 3, 4, 5], 1, async (item) => {
    begun.push(item);
    if (item === 2) throw new Error("no");
  });
  await assert.rejects(work, /^Error: no$/);
  await setImmediate();
  assert.deepEqual(begun, [1, 2]);
});
