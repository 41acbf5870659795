/** What an export holds is told from its content, and whatever cannot be brought over is named by file and line. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileOf } from "../../../infra/import/files.ts";
import { type Export, readExport } from "../../../infra/import/folder.ts";
import { chatRow, completion, messagesOf, oldEval, oldJob, oldModel } from "../../support/openAiExport.ts";
import { jsonl, rowsOf } from "../../support/trainingData.ts";

async function exported(files: Record<string, string | Buffer | object>): Promise<Export> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-export-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      const isText = typeof content === "string" || Buffer.isBuffer(content);
      await writeFile(join(folder, name), isText ? content : JSON.stringify(content));
    }
    return await readExport(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const rows = rowsOf(4);
const placesOf = ({ problems }: Export) => problems.map(({ place, message }) => `${place}: ${message}`);
const preference = {
  input: { messages: [{ role: "user", content: "x" }] },
  preferred_output: [{ role: "assistant", content: "a" }],
  non_preferred_output: [{ role: "assistant", content: "b" }],
};

test("malformed lines are named by file and line, and the others are kept", async () => {
  const lines = rows.map((row) => JSON.stringify(chatRow(row)));
  lines[1] = '{"messages": [';
  lines[3] = JSON.stringify({ messages: [{ role: "user", content: "no answer" }] });
  lines[4] = "";
  lines[5] = '{"colour": "blue"}';
  const found = await exported({ "train.jsonl": lines.join("\n") });
  const [first, second, third] = placesOf(found).sort();
  assert.match(first!, /^train\.jsonl:2: No JSON object/);
  assert.match(second!, /^train\.jsonl:4: .*[Nn]o label/);
  assert.match(third!, /^train\.jsonl:6: Nothing known/);
  const [file] = found.trainingFiles;
  assert.deepEqual(
    file!.rows,
    rows.filter((_, i) => ![1, 3, 4, 5].includes(i)),
  );
  assert.equal(file!.content.toString(), jsonl(file!.rows), "what was left of it is written anew");
  assert.match(file!.conversion!, /left out/);
});

test("preferences are refused as unsupported, each by its line", async () => {
  const found = await exported({ "dpo.jsonl": jsonl([preference, preference]) });
  assert.deepEqual(found.trainingFiles, []);
  const [first, second, ...others] = placesOf(found);
  assert.match(first!, /^dpo\.jsonl:1: .*preference \(DPO\) row: unsupported/);
  assert.match(second!, /^dpo\.jsonl:2: /);
  assert.deepEqual(others, []);
});

test("a file of chat rows with clean labels is kept byte for byte; blanks and old prompts are mended", async () => {
  const clean = rows.map((row) => JSON.stringify(chatRow(row))).join("\r\n");
  const blank = jsonl(rows.map(({ text, label }) => chatRow({ text, label: ` ${label}\n` })));
  const prompts = jsonl(rows.map(({ text, label }) => ({ prompt: `${text}\n`, completion: ` ${label}` })));
  const { trainingFiles, problems } = await exported({ "a.jsonl": clean, "b.jsonl": blank, "c.jsonl": prompts });
  assert.deepEqual(problems, []);
  const [kept, trimmed, mended] = trainingFiles;
  assert.deepEqual([kept!.content.toString(), kept!.conversion], [clean, null]);
  for (const file of trainingFiles) assert.deepEqual([file.rows, file.labels, file.isClassification], [rows, 3, true]);
  assert.match(trimmed!.conversion!, /blanks/);
  assert.match(mended!.conversion!, /prompts and completions/);
  assert.equal(mended!.content.toString(), jsonl(rows));
});

test("answers in sentences are no labels, and nobody is told so line by line", async () => {
  const essays = rows.map(({ text }, i) => chatRow({ text, label: `Answer ${i}. ${"word ".repeat(i % 2 ? 300 : 3)}` }));
  const { trainingFiles, problems } = await exported({ "chat.jsonl": jsonl(essays) });
  assert.deepEqual([trainingFiles[0]!.isClassification, problems], [false, []]);
});

test("names say nothing: pages, lists, single objects and lines are told apart by what they hold", async () => {
  const found = await exported({
    "1.txt": JSON.stringify({ object: "list", data: [oldJob()], has_more: false }),
    "2.dat": jsonl([oldEval]),
    "3.json": [{ object: "file", id: "file-Train1", filename: "mine.jsonl" }],
    "mine.jsonl": jsonl(rows.map(chatRow)),
    "other.jsonl": jsonl(rows.slice(1).map(chatRow)),
    "notes.md": "# Notes",
    "image.png": Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]),
    "price.json": { price: 3 },
    "broken.json": jsonl([{ object: "fine_tuning.job", id: 7 }, oldJob({ id: "ftjob-good" })]),
  });
  assert.deepEqual(
    [found.jobs.map(({ id }) => id), found.evals.map(({ id }) => id)],
    [["ftjob-old1", "ftjob-good"], ["eval_old1"]],
  );
  assert.deepEqual(found.files.find(({ path }) => path === "1.txt")!.holds, { job: 1 });
  const places = placesOf(found);
  for (const path of ["notes.md", "image.png", "price.json"]) {
    assert.ok(places.includes(`${path}: Nothing in it is known from OpenAI's exports: it is left alone.`), path);
  }
  assert.ok(places.some((line) => line.startsWith("broken.json:1: 'id'")));
  assert.equal(places.length, 4);
  assert.equal(fileOf("file-Train1", found)?.path, "mine.jsonl");
  assert.equal(fileOf("file-unheard", found), undefined);
});

test("completions find what was asked: beside them, in pages of messages, or in a batch's requests", async () => {
  const said = [{ role: "user", content: "whole" }];
  const { object: _, ...body } = completion(9, "spam");
  const answer = {
    id: "batch_req_1",
    custom_id: "q1",
    response: { status_code: 200, body: { object: "chat.completion", ...body } },
    error: null,
  };
  const request = {
    custom_id: "q1",
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: oldModel, messages: said },
  };
  const found = await exported({
    "whole.jsonl": jsonl([{ ...completion(1, "ham"), messages: said }]),
    "page.json": { object: "list", data: [completion(2, "ham"), completion(3, "spam"), completion(2, "ham")] },
    "messages.json": { data: messagesOf(2, "paged").reverse() },
    "in.jsonl": jsonl([request]),
    "out.jsonl": jsonl([answer, { ...answer, custom_id: "q2", response: { status_code: 500, body: {} } }]),
  });
  assert.deepEqual(
    found.recorded.map(({ id, input }) => [id, input.messages.at(-1)]),
    [
      ["chatcmpl-Old2", { role: "user", content: "paged" }],
      ["chatcmpl-Old1", { role: "user", content: "whole" }],
      ["chatcmpl-Old9", { role: "user", content: "whole" }],
    ],
  );
  const [third, failed, ...others] = placesOf(found);
  assert.match(third!, /^page\.json, item 2: .*chatcmpl-Old3.*messages are not in the folder/);
  assert.match(failed!, /^out\.jsonl:2: The answer to 'q2' is an error, 500/);
  assert.deepEqual(others, []);
});
