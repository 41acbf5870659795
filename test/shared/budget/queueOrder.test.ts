/** In which order workers come to what waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type QueuedWork, turnsOf } from "../../../shared/budget/queueOrder.ts";

const work = (project_id: string, id: string, is_running = false, seconds = 10): QueuedWork => {
  return { project_id, id, is_running, seconds };
};
const order = (queue: readonly QueuedWork[]) =>
  [...turnsOf(queue)].map(([id, turn]) => [id, turn.position, turn.seconds]);

test("a single job behind a crowd is next, and begins when the job at work ends", () => {
  const crowd = Array.from({ length: 1000 }, (_, i) => work("a", `a${i}`, i === 0));
  const turns = turnsOf([...crowd, work("b", "b0")]);
  assert.deepEqual(turns.get("b0"), { position: 1, seconds: 10 });
  assert.deepEqual(turns.get("a1"), { position: 2, seconds: 20 });
  assert.equal(turns.size, 1000);
  assert.equal(turns.has("a0"), false, "it does not wait");
});

test("an idle queue begins at once", () => {
  assert.deepEqual(order([work("a", "a0"), work("a", "a1")]), [
    ["a0", 1, 0],
    ["a1", 2, 10],
  ]);
});

test("projects take turns, by what they have at work and then by what was worked for them", () => {
  const queue = [
    ...[work("a", "a0", true, 5), work("b", "b0", true, 8), work("a", "a1"), work("a", "a2")],
    ...[work("b", "b1"), work("c", "c0", false, 1)],
  ];
  assert.deepEqual(order(queue), [
    ["c0", 1, 5],
    ["a1", 2, 6],
    ["b1", 3, 8],
    ["a2", 4, 16],
  ]);
});
