/** The life of a promotion as data: every state can be reached, and human verbs ask for what the life allows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  promotionLife,
  promotionStates,
  promotionSteps,
  stepAfter,
  stopOf,
  verbStates,
} from "../../shared/promotionStates.ts";

test("every state but the first follows another, and each step leads to what may follow it", () => {
  for (const state of promotionStates) {
    if (state !== "collecting") assert.ok(promotionLife.before(state).length > 0, state);
  }
  for (const step of promotionSteps) {
    for (const next of [stepAfter(step, true), stepAfter(step, false), stopOf(step), "held" as const]) {
      assert.ok(promotionLife.before(next).includes(step), `${step} to ${next}`);
      if (next !== "held") assert.ok(promotionLife.before(next).includes("held"), `held at ${step} to ${next}`);
    }
  }
});

test("without a canary judging is the last step, and a human passes a stopped step as its check would have", () => {
  assert.equal(stepAfter("judging", false), "promoted");
  assert.equal(stepAfter("judging", true), "canary");
  assert.equal(stepAfter("canary", true), "promoted");
  for (const stopped of ["checking_data", "judging"] as const) {
    assert.ok(promotionLife.before(stepAfter(stopped, true)).includes("rejected"));
  }
  assert.ok(verbStates.revert.includes("promoted"));
  assert.ok(promotionLife.before("rolled_back").includes("promoted"));
});
