/** A small share of the requests that `npm run bench -- fuzz --part requests` sends to every operation. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RequestFuzz } from "../bench/fuzzRequests.ts";
import { operations } from "../support/contract.ts";

let fuzz: RequestFuzz;
before(async () => {
  fuzz = await RequestFuzz.open();
});
after(() => fuzz.close());

test("whatever is sent, every operation answers as the contract says, and a stranger's id as none", async () => {
  await fuzz.run(600, 3);
  assert.deepEqual(fuzz.tally.faults, []);
  assert.deepEqual(fuzz.failures, []);
  assert.equal(fuzz.tally.operations.size, operations.length - 1, "all but the one that would end the others");
  assert.ok(fuzz.tally.served.size > 20 && fuzz.tally.twins > 10);
});
