/** The serving suite refuses what it has no part for, leaves out what it has no data for, and measures growth rightly. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { residentMebibytes, slope } from "./servingMemory.ts";

function serving(...options: string[]) {
  const program = fileURLToPath(new URL("main.ts", import.meta.url));
  // Without shared data; a directory that certainly holds none.
  const env = {
    ...process.env,
    MILLRACE_SHARED: fileURLToPath(new URL(".", import.meta.url)),
    MILLRACE_HOME: tmpdir(),
  };
  return spawnSync(process.execPath, [program, "serving", ...options], { env, encoding: "utf8" });
}

describe("npm run bench -- serving", { timeout: 60_000 }, () => {
  it("names its parts to whoever asks for another", () => {
    const { status, stderr } = serving("--part", "speed");
    assert.equal(status, 1);
    assert.match(stderr, /no part "speed"; it has throughput and many and http and soak and generation/);
  });

  it("is left out where its texts are not", () => {
    const { status, stdout, stderr } = serving("--part", "soak");
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^serving: left out, .* is not in /m);
  });

  it("refuses a time that is none", () => {
    const { status, stderr } = serving("--part", "soak", "--minutes", "soon");
    assert.equal(status, 1);
    assert.match(stderr, /--minutes must be positive, not soon/);
  });
});

describe("memory over time", () => {
  it("is the resident set of this process at least", () => {
    const own = process.memoryUsage.rss() / 2 ** 20;
    assert.ok(Math.abs(residentMebibytes() - own) < 0.2 * own);
  });

  it("grows by what it grows between most moments, whatever was given back once", () => {
    const steady = Array.from({ length: 9 }, (_, x) => [x, 5 + 2 * x] as const);
    assert.equal(slope(steady), 2);
    assert.equal(slope([[-1, 300], ...steady]), 2);
  });
});
