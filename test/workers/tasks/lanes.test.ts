/** Lanes: a project has no more than its share of a worker's deliveries, and a worker that stops waits for them all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLanes } from "../../../workers/tasks/webhook/lanes.ts";

test("beyond its share a project is refused, others are not, and what ends makes room", async () => {
  const lanes = createLanes({ total: 3, perProject: 2 });
  const ends: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => void ends.push(resolve));
  const opened = ["a", "a", "a", "b", "b", "c"].map((project) => lanes.open(project, work));
  assert.deepEqual(opened, [true, true, false, true, false, false]);
  ends[0]!();
  await new Promise(setImmediate);
  assert.equal(lanes.open("a", work), true);
  let isIdle = false;
  const idle = lanes.idle().then(() => {
    isIdle = true;
  });
  await new Promise(setImmediate);
  assert.equal(isIdle, false);
  for (const end of ends) end();
  await idle;
  assert.equal(
    lanes.open("c", async () => {}),
    true,
  );
});
