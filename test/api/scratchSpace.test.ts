/** What a function finds on its disk: what a dead one left goes, and what is anybody else's stays. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { claimScratchSpace } from "../../api/scratchSpace.ts";
import { modelDirectoryPrefix } from "../../shared/serving/modelDirectory.ts";

test("models of processes that are gone are removed, and nothing else", () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-scratch-"));
  const { pid: dead } = spawnSync(process.execPath, ["--version"]);
  const stays = [
    `millrace-models-${process.ppid}-abc`,
    "millrace-models-abc",
    "millrace-test-abc",
    "millrace-bench-abc",
  ];
  const goes = [`${modelDirectoryPrefix()}abc`, `millrace-models-${dead}-abc`];
  for (const name of [...stays, ...goes]) mkdirSync(join(directory, name, "inner"), { recursive: true });
  assert.ok(claimScratchSpace(directory) > 0);
  assert.deepEqual(readdirSync(directory).sort(), stays.sort());
  rmSync(directory, { recursive: true });
});
