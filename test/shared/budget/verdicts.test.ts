/** Verdicts are of a few seconds ago, and nobody waits for one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVerdicts, verdictMilliseconds } from "../../../shared/budget/verdicts.ts";

test("a project is looked at in the background, once in a while, and keeps its verdict where that fails", async () => {
  let [now, looks] = [10_000, 0];
  let look = async () => true;
  const verdicts = createVerdicts(
    () => {
      looks++;
      return look();
    },
    () => now,
  );
  assert.equal(verdicts.isExhausted("p"), false, "open until the first look");
  await turn();
  for (let asked = 0; asked < 100; asked++) assert.equal(verdicts.isExhausted("p"), true);
  assert.equal(looks, 1);
  look = () => Promise.reject(new Error("out of reach"));
  now += verdictMilliseconds + 1;
  verdicts.isExhausted("p");
  await turn();
  assert.equal(verdicts.isExhausted("p"), true);
  look = async () => false;
  now += verdictMilliseconds + 1;
  verdicts.isExhausted("p");
  await turn();
  assert.equal(verdicts.isExhausted("p"), false);
  assert.equal(looks, 3);
  look = async () => {
    now += 1000;
    return true;
  };
  now += verdictMilliseconds + 1;
  verdicts.isExhausted("p");
  await turn();
  now += 19_000;
  assert.equal(verdicts.isExhausted("p"), true);
  assert.equal(looks, 4, "a look of a second stands for twenty");
});
