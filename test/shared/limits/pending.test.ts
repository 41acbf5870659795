/** What is known of requests until they are answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPending } from "../../../shared/limits/pending.ts";

test("what is taken is gone, and of too many the oldest are forgotten", () => {
  const pending = createPending<number>(3);
  for (let i = 0; i < 5; i++) pending.set(`r${i}`, i);
  assert.deepEqual([pending.get("r0"), pending.get("r1"), pending.get("r2")], [undefined, undefined, 2]);
  assert.deepEqual([pending.take("r4"), pending.take("r4")], [4, undefined]);
  pending.set("r5", 5);
  assert.equal(pending.get("r2"), 2);
});
