/** When a canary goes on, ends well, is rolled back, or is left to a human. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CanarySeen, judgeCanary, usualCanaryRules } from "../../../shared/promotion/canary.ts";

const arm = (n: number, mean: number) => ({ n, mean, variance: mean * (1 - mean) });
const seen = (candidate: number, of: number, changes: Partial<CanarySeen> = {}): CanarySeen => ({
  outcomes: { candidate: arm(of, candidate), incumbent: arm(of, 0.8) },
  ...{ increaseIsGood: true, guardrails: {}, exposures: [of, of] as const, ...changes },
});
const last = usualCanaryRules.shares.length - 1;
const decided = (what: CanarySeen, step = last) => {
  const { decision, reason } = judgeCanary(what, step, usualCanaryRules);
  return [decision, reason];
};

test("a canary waits for its outcomes, then goes a share on, and after the last is promoted", () => {
  assert.deepEqual(decided(seen(0.8, 500), 0), ["wait", "too_few_outcomes"]);
  assert.deepEqual(decided(seen(0.8, 1000), 0), ["next_step", "no_harm_found"]);
  assert.deepEqual(decided(seen(0.8, 1000)), ["wait", "too_few_outcomes"]);
  assert.deepEqual(decided(seen(0.8, 2000)), ["promote", "no_harm_found"]);
});

test("harm to the metric rolls back before the step is over, whichever way the metric counts", () => {
  assert.deepEqual(decided(seen(0.5, 400)), ["roll_back", "metric_worse"]);
  assert.deepEqual(decided(seen(0.99, 400, { increaseIsGood: false })), ["roll_back", "metric_worse"]);
  assert.deepEqual(decided(seen(0.95, 300)), ["wait", "too_few_outcomes"]);
});

test("harm to a guardrail beyond what is tolerated rolls back a candidate whose metric is as good", () => {
  const errors = { candidate: arm(300, 0.2), incumbent: arm(300, 0.01), tolerance: 0.01 };
  const tolerated = { guardrails: { errors: { ...errors, tolerance: 0.3 } } };
  assert.deepEqual(decided(seen(0.8, 300, tolerated)), ["wait", "too_few_outcomes"]);
  assert.deepEqual(decided(seen(0.8, 300, { guardrails: { errors } })), ["roll_back", "guardrail_worse"]);
});

test("exposures that are not what was planned are read by nobody: a human is to look", () => {
  assert.deepEqual(decided(seen(0.8, 1000, { exposures: [1200, 800] })), ["hold", "exposures_off"]);
});
