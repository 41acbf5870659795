/** What was not taken is tried again over days, ever later, never all at once, and given up at last. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../shared/webhooks/schedule.ts";

const failed = (tries: number, retryAfter: number | null = null, random = 0.5) =>
  outcomeOf({ delivered: false, tries, retryAfter }, 0, random);

test("ten attempts over three days, each pause at least as long as the one before", () => {
  const pauses: number[] = [];
  for (let tries = 1; failed(tries).status === "pending"; tries++) pauses.push(failed(tries).due! / 1000);
  assert.equal(pauses.length, 9);
  assert.ok(pauses.every((pause, i) => i === 0 || pause >= pauses[i - 1]!));
  const days = pauses.reduce((sum, pause) => sum + pause) / 86400;
  assert.ok(days > 3 && days < 4, `${days} days`);
  assert.deepEqual(failed(10), { status: "failed", due: null });
});

test("pauses vary by a fifth either way", () => {
  assert.deepEqual([failed(1, null, 0).due, failed(1, null, 0.5).due, failed(1, null, 1).due], [4000, 5000, 6000]);
});

test("a receiver may ask for longer, up to a day, and not for shorter", () => {
  assert.equal(failed(1, 120).due, 120_000);
  assert.equal(failed(2, 1).due, 300_000);
  assert.equal(failed(1, 10 ** 9).due, 86_400_000);
});

test("what was taken is over", () => {
  assert.deepEqual(outcomeOf({ delivered: true, tries: 3, retryAfter: 5 }, 0), { status: "succeeded", due: null });
});
