/** The benchmarks run, print a line a figure, and leave out what is not there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Result, tableLine, toResult } from "./result.ts";

const temporary = mkdtempSync(join(tmpdir(), "millrace-test-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

function bench(...args: string[]) {
  const program = fileURLToPath(new URL("main.ts", import.meta.url));
  const env = { ...process.env, MILLRACE_SHARED: join(temporary, "shared"), TMPDIR: join(temporary, "tmp") };
  mkdirSync(env.TMPDIR, { recursive: true });
  return spawnSync(process.execPath, [program, ...args], { env, encoding: "utf8" });
}

function writeSet(name: string, sizes: { train: number; test: number }): void {
  const directory = join(temporary, "shared", "data", name);
  mkdirSync(directory, { recursive: true });
  const words = [
    ["apple", "pear", "cherry", "plum"],
    ["hammer", "saw", "drill", "nail"],
  ];
  for (const [part, size] of Object.entries(sizes)) {
    const rows = Array.from({ length: size }, (_, i) => {
      const word = words[i % 2]![(i >> 1) % 4]!;
      return JSON.stringify({ text: `where is the ${word} number ${part}${i}`, label: i % 2 ? "tool" : "fruit" });
    });
    writeFileSync(join(directory, `${part}.jsonl.gz`), gzipSync(rows.join("\n")));
  }
}

describe("npm run bench", { timeout: 120_000 }, () => {
  it("measures the sets that are there, beside a baseline, and names the others", () => {
    writeSet("sst2", { train: 120, test: 30 });
    const { status, stdout, stderr } = bench("accuracy", "--json", "--part", "ngram");
    assert.equal(status, 0, stderr);
    const results = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Result);
    const names = results.map(({ suite, case: name, unit }) => `${suite} ${name} ${unit}`);
    assert.deepEqual(names, [
      "accuracy sst2 percent",
      "accuracy sst2/train-seconds seconds",
      "accuracy sst2/answers per second",
    ]);
    const [accuracy, seconds] = results as [Result, Result];
    assert.ok(accuracy.value > 95 && accuracy.baseline! > 80 && accuracy.ratio! > 0.9, stdout);
    assert.match(accuracy.baseline_source, /^(documented|scikit-learn .+)$/);
    assert.ok(seconds.value > 0 && seconds.baseline === 20);
    for (const absent of ["banking77", "clinc150", "thucnews_titles"]) {
      assert.match(stderr, new RegExp(`${absent}: left out`));
    }
    assert.deepEqual(readdirSync(join(temporary, "tmp")), []);
  });

  it("leaves out images, sounds and tables where they are not", () => {
    const { status, stdout, stderr } = bench("images", "audio", "tables");
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    for (const absent of ["mnist", "pneumoniamnist", "fsdd", "adult", "telco_churn", "california_housing"]) {
      assert.match(stderr, new RegExp(`^${absent}: left out`, "m"));
    }
  });

  it("refuses a suite it does not have", () => {
    const { status, stderr } = bench("speed");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /no suite "speed"; there are accuracy and engine and images and audio and tables and recommendation and training and serving/,
    );
  });
});

describe("a result", () => {
  const measured = { suite: "s", case: "c", value: 3, unit: "seconds" as const, baseline: 2, baseline_source: "bar" };

  it("is set against its baseline", () => {
    assert.equal(toResult(measured).ratio, 1.5);
    assert.match(tableLine(toResult(measured)), /^s\/c +3 seconds +2 bar, ratio 1.5$/);
  });

  it("stands alone where there is nothing to compare with", () => {
    const alone = toResult({ ...measured, baseline: null });
    assert.equal(alone.ratio, null);
    assert.doesNotMatch(tableLine(alone), /ratio/);
  });
});
