/** The demo runs as a newcomer would run it, with fewer mails, and leaves nothing behind but its report and its state. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { XMLValidator } from "fast-xml-parser";

const home = mkdtempSync(join(tmpdir(), "millrace-test-"));
const temporary = join(home, "tmp");
mkdirSync(temporary);
after(() => rmSync(home, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  output: string;
  /** Processes of its group that outlived it, and temporary files that it left. */
  leftovers: string[];
}

/** In a process group of its own, by which its children are found. `onOutput` sees all that was written so far. */
function runDemo(args: string[], onOutput: (output: string, pid: number) => void = () => {}): Promise<Ended> {
  const program = fileURLToPath(new URL("demo.ts", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, MILLRACE_HOME: home, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      onOutput(output, child.pid!);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ code, output, leftovers: [...processesOf(child.pid!), ...readdirSync(temporary)] }),
    );
  });
}

function processesOf(group: number): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      // The name in brackets may hold spaces; after it come state, parent and group.
      const [state, , pgrp] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
      return Number(pgrp) === group && state !== "Z";
    } catch {
      return false;
    }
  });
}

const options = { timeout: 120_000, skip: process.platform !== "linux" && "finds processes in /proc" };

/** Without the race, which is proved elsewhere. */
const quick = ["--mails", "600", "--model", "millrace-ngram"];

describe("the demo", options, () => {
  it("stops cleanly on Ctrl-C while it trains", async () => {
    let asked = false;
    const { code, output, leftovers } = await runDemo(quick, (written, pid) => {
      if (asked || !written.includes("Step ")) return;
      asked = true;
      // A terminal sends it to the whole group.
      process.kill(-pid, "SIGINT");
    });
    assert.equal(code, 130, output);
    assert.deepEqual(leftovers, []);
  });

  it("goes on from there, learns, measures and reports", async () => {
    const { code, output, leftovers } = await runDemo(quick);
    assert.equal(code, 0, output);
    assert.deepEqual(leftovers, []);
    const [, share, right, total] = /Fine-tuned with Millrace +([\d.]+) % +(\d+) of (\d+) right/.exec(output) ?? [];
    assert.equal(Number(total), 120);
    assert.ok(Number(share) > 90 && Number(right) > 108, output);
    const report = readFileSync(join(home, "demo", "report.svg"), "utf8");
    assert.equal(XMLValidator.validate(report), true);
    assert.match(report, /^<svg[^>]*>[\s\S]*Naive Bayes[\s\S]*<\/svg>$/);
  });

  it("says what is wrong and ends with 1", async () => {
    const { code, output, leftovers } = await runDemo(["--mails", "many"]);
    assert.equal(code, 1);
    assert.match(output, /--mails takes a whole number/);
    assert.deepEqual(leftovers, []);
  });
});
