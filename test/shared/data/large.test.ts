/** Large files are prepared in memory that does not grow with them: what holds at 250 MB holds at the 512 MB of an upload. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(new URL("../../support/prepareAndMeasure.ts", import.meta.url));
const megabyte = 1e6;

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-large-"));
});
after(() => rm(directory, { recursive: true, force: true }));

/** Rows of about 200 bytes, one in a thousand of them a repeat. */
async function write(path: string, bytes: number, toLine: (text: string, label: string) => string): Promise<number> {
  const words = Array.from({ length: 30 }, (_, i) => `word${i}`).join(" ");
  let rows = 0;
  function* lines() {
    if (path.endsWith(".csv")) yield "text,label\n";
    for (let written = 0; written < bytes; ) {
      let piece = "";
      for (let i = 0; i < 2000; i++, rows++) {
        piece += toLine(`${rows % 1000 === 999 ? 0 : rows} ${words}`, `label ${rows % 50}`);
      }
      written += piece.length;
      yield piece;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path));
  return rows;
}

async function measure(path: string) {
  const { stdout } = await promisify(execFile)(process.execPath, [program, path, join(directory, "prepared")]);
  await rm(path);
  return JSON.parse(stdout) as { rows: number; warnings: number; errors: number; peakMegabytes: number };
}

for (const [filename, megabytes, toLine] of [
  ["large.jsonl", 250, (text: string, label: string) => `{"text":"${text}","label":"${label}"}\n`],
  ["large.csv", 50, (text: string, label: string) => `"${text}",${label}\n`],
] as const) {
  test(`${megabytes} MB of ${filename} are prepared in less than 200 MB of memory`, async () => {
    const path = join(directory, filename);
    const rows = await write(path, megabytes * megabyte, toLine);
    const { peakMegabytes, errors, warnings, ...prepared } = await measure(path);
    const repeats = Math.floor(rows / 1000);
    assert.deepEqual([errors, warnings], [0, repeats]);
    assert.ok(peakMegabytes < 200, `it took ${peakMegabytes} MB`);
    assert.ok(prepared.rows < rows && prepared.rows > rows * 0.99);
  });
}
