/** Processes that die at any moment lose nothing that was acknowledged, and charge nothing twice. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { faultyRun } from "./reliabilityFaults.ts";

test("whenever API and worker are killed, totals are the sums of the records, and nothing stays reserved", async (t) => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const { kills, violations, acknowledged, ended } = await faultyRun({
    ...{ minutes: 1, mostKills: 4, seed, share: 0, projects: 1, processes: ["api", "worker"] },
    ...{ killsApart: { least: 300, more: 1500 }, think: 60, tell: () => {} },
  });
  assert.deepEqual(violations, []);
  assert.ok(kills.api + kills.worker >= 2, JSON.stringify(kills));
  assert.ok(acknowledged.job! > 0 && ended["job succeeded"]! > 0, JSON.stringify({ acknowledged, ended }));
  t.diagnostic(JSON.stringify({ kills, acknowledged, ended }));
});
