/** What a worker gives up tells the operator why, without what the error quotes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "../../shared/log.ts";
import { tryOnce } from "../../workers/oneTry.ts";

/** Of a row that failed twice already; with what its owner is told. */
async function lastTry(error: Error) {
  let told = "";
  const outcome = await tryOnce({
    context: { config: { maxAttempts: 3 }, log: createLog({ logLevel: "silent" }, "test") },
    rows: { kind: "batch", release: async () => true },
    row: { id: "batch_1", project_id: "proj_1", status: "in_progress", lease: null, failures: 2 },
    lease: { attempt: "attempt_1", signal: new AbortController().signal, end() {} },
    work: () => Promise.reject(error),
    fail: async ({ message }) => {
      told = message;
      return true;
    },
  });
  return { outcome, told };
}

test("the message that is buried says what failed, and nothing of what was quoted", async () => {
  const text = 'My card, the "blue" one,\nis lost';
  const { outcome, told } = await lastTry(new SyntaxError(`Unexpected token 'M', "${text}" is not valid JSON`));
  assert.deepEqual(outcome, { type: "buried", cause: "Unexpected token … is not valid JSON" });
  assert.match(told, /^Gave up after 3 attempts: Unexpected token 'M', "My card/);
  const plain = await lastTry(new Error("The device process was killed by SIGKILL\nand more"));
  assert.deepEqual(plain.outcome, { type: "buried", cause: "The device process was killed by SIGKILL" });
});
