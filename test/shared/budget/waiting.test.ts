/** Places in the queues: each job's among those that wait for the same workers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createWaitingLine } from "../../../shared/budget/waiting.ts";
import { createQueue } from "../../../shared/queue.ts";

const urls = { queueUrl: "jobs", answerQueueUrl: "answers", deadLetterQueueUrl: "dead" };
let born = 0;
const row = (id: string, model = "millrace-ngram", lease: object | null = null) => {
  const method = { type: "supervised" as const };
  return { ...{ project_id: "proj_1", id, model, method, lease, created_at: born++ }, estimated_finish: null };
};

/** A line over these rows, where there is a queue for light work or none. */
function lineOver(jobs: object[], batches: object[], lightQueueUrl?: string) {
  const none = { overdue: async () => [] };
  const stores = {
    ...{ jobs: { overdue: async () => jobs }, batches: { overdue: async () => batches }, evalRuns: none },
    budgets: { paces: async () => [] },
  };
  return createWaitingLine(stores as never, createQueue(undefined as never, { ...urls, lightQueueUrl }));
}

const crowd = () => Array.from({ length: 5 }, (_, i) => row(`embed${i}`, "millrace-embed-en", i ? null : {}));

test("a light training does not stand behind those that wait for a GPU, and they not behind it", async () => {
  const [others, light, last] = [crowd(), row("light"), row("last", "millrace-embed-en")];
  const line = lineOver([...others, light, last], [row("batch")], "light");
  assert.deepEqual(await line.turnOf(light), { position: 1, seconds: 0 });
  assert.equal((await line.turnOf(last)).position, 5);
  assert.equal((await line.turnOfNew(row("", "millrace-embed-en"))).position, 7, "behind the batch");
  const second = await line.turnOf(row("second"));
  assert.equal(second.position, 2, "it came since the last look");
  assert.ok(second.seconds > 0);
  assert.equal((await line.turnOfNew(row(""))).position, 3);
});

test("with one queue for all there is one line", async () => {
  const [others, light] = [crowd(), row("light")];
  const line = lineOver([...others, light], []);
  assert.equal((await line.turnOf(light)).position, 5);
});
