/** A small share of the files that `npm run bench -- fuzz --part files` gives to all that reads them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzFiles } from "./fuzzFiles.ts";

test("files gone wrong are read or refused, by errors of our own and nothing else", async () => {
  const found = await fuzzFiles({ files: 1500, seed: 1, sessions: 8 });
  assert.deepEqual(found.faults, []);
  assert.equal(found.read + found.refused, 1500);
  assert.ok(found.read > 50 && found.refused > 500, "neither is the rule without exception");
  assert.ok(found.sessions.tried > 0 && found.sessions.died === 0);
});
