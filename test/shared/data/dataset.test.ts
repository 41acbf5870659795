/** What becomes of uploaded rows: read as meant, checked to the line, repeats dropped, a fair part held out. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type Dataset, type DatasetOptions, prepareDataset } from "../../../shared/data/dataset.ts";
import { jsonl, rowsOf } from "../../support/trainingData.ts";

let directory: string;
let runs = 0;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-data-"));
});
after(() => rm(directory, { recursive: true, force: true }));

interface Prepared extends Dataset {
  train: { text: string; label: string }[];
  valid: { text: string; label: string }[];
}

async function prepare(
  content: string | Uint8Array,
  options: Partial<DatasetOptions> & { filename?: string; validationContent?: string } = {},
): Promise<Prepared> {
  const { filename = "a.jsonl", validationContent, ...rest } = options;
  const own = join(directory, String(runs++));
  const training = { path: `${own}.training`, filename };
  await writeFile(training.path, content);
  const validation = validationContent === undefined ? undefined : { path: `${own}.validation`, filename };
  if (validation) await writeFile(validation.path, validationContent!);
  const holdOut = { share: 0.25, most: 1000 };
  const dataset = await prepareDataset({ training, validation, directory: own, seed: 1, holdOut, ...rest });
  const split = async (path: string) => {
    const lines = (await readFile(path, "utf8")).split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line)).map(({ text, label }) => ({ text, label: dataset.labels[label]! }));
  };
  const good = !dataset.training.errorCount && !dataset.validation?.errorCount;
  const [train, valid] = good ? await Promise.all([split(dataset.trainFile), split(dataset.validFile)]) : [[], []];
  await rm(own, { recursive: true, force: true });
  return { ...dataset, train, valid };
}

const sortedTexts = (rows: { text: string }[]) => rows.map(({ text }) => text).sort();

test("the same seed splits alike, another seed differently, and every row is in exactly one part", async () => {
  const rows = rowsOf(40);
  const [once, again, other] = await Promise.all([1, 1, 2].map((seed) => prepare(jsonl(rows), { seed })));
  assert.deepEqual(once!.valid, again!.valid);
  assert.notDeepEqual(once!.valid, other!.valid);
  assert.deepEqual(sortedTexts([...once!.train, ...once!.valid]), sortedTexts(rows));
});

test("each label gives its exact share, never its last row, and nothing of fewer than four rows", async () => {
  const sizes = { a: 1, b: 3, c: 4, d: 10, e: 101 };
  const rows = Object.entries(sizes).flatMap(([label, size]) => {
    return Array.from({ length: size }, (_, i) => ({ text: `${label} ${i}`, label }));
  });
  for (const seed of [1, 2, 3, 4, 5]) {
    const { valid, validRows, trainRows } = await prepare(jsonl(rows), { seed });
    const counts = Object.keys(sizes).map((label) => valid.filter((row) => row.label === label).length);
    assert.deepEqual(counts, [0, 0, 1, 3, 25]);
    assert.deepEqual([validRows, trainRows], [29, 119 - 29]);
  }
});

test("no more rows are held out than the limit", async () => {
  const { validRows } = await prepare(jsonl(rowsOf(100)), { holdOut: { share: 0.5, most: 30 } });
  assert.equal(validRows, 30);
});

test("repeats are dropped once each, with their line and that of the first", async () => {
  const row = (text: string, label: string) => JSON.stringify({ text, label });
  const lines = [row("a", "x"), "", row("b", "y"), row("a", "x"), row("a", "y"), row("a", "y"), row("a", "x")];
  const { train, valid, training } = await prepare(lines.join("\n"));
  assert.deepEqual(
    [...train, ...valid].map(({ text, label }) => text + label),
    ["ax", "by", "ay"],
  );
  assert.deepEqual(
    training.warnings.map(({ line, code, message }) => [line, code, Number(message.match(/line (\d+)/)![1])]),
    [
      [4, "duplicate_row", 1],
      [5, "contradictory_label", 1],
      [6, "duplicate_row", 5],
      [7, "duplicate_row", 1],
    ],
  );
});

test("a text with two labels is never what the model is judged by, wherever it stands, and the shares stay exact", async () => {
  const disputed = Array.from({ length: 20 }, (_, i) => `disputed ${i}`);
  const rows = [
    ...disputed.map((text) => ({ text, label: "x" })),
    ...Array.from({ length: 40 }, (_, i) => ({ text: `clear ${i}`, label: i % 2 ? "x" : "y" })),
    ...disputed.map((text) => ({ text, label: "y" })),
  ];
  for (const seed of [1, 2, 3]) {
    const { valid, trainRows } = await prepare(jsonl(rows), { seed });
    assert.ok(valid.every(({ text }) => text.startsWith("clear")));
    assert.deepEqual([valid.length, trainRows], [10, 70]);
  }
});

test("CSV and TSV: quotes, separators and line breaks in fields, a byte order mark, any line end, blank lines", async () => {
  const expected = [
    { text: 'one, "two"\nthree', label: "x" },
    { text: "four", label: "y" },
  ];
  const files: [string, string][] = [
    ["a.csv", 'text,label\n"one, ""two""\nthree",x\n\nfour,y'],
    ["a.CSV", '\ufeff"text","label"\r\n"one, ""two""\nthree",x\r\nfour,y\r\n\r\n'],
    ["a.csv", '\ufeffLabel , id,Text\nx,1,"one, ""two""\nthree"\ny,2,four\n'],
    ["a.tsv", 'text\tlabel\r"one, ""two""\nthree"\tx\rfour\ty\r'],
  ];
  for (const [filename, content] of files) {
    const { train, training } = await prepare(content, { filename });
    assert.deepEqual(training.errors, []);
    assert.deepEqual(train, expected, JSON.stringify(content));
  }
});

test("a CSV line is numbered as an editor numbers it", async () => {
  const rows = ["text,label", '"two\r\nthree\nfour",x', "", '"six\r\nseven",x', "eight", "", "", "ten,x,y", "eleven,y"];
  const { training } = await prepare(rows.join("\r\n"), { filename: "a.csv" });
  assert.deepEqual(
    training.errors.map(({ line, code }) => [line, code]),
    [
      [8, "invalid_csv"],
      [11, "invalid_csv"],
    ],
  );
  const open = await prepare('text,label\r\na,x\r\n\r\n"never closed,y\r\nb,y\r\n', { filename: "a.csv" });
  assert.deepEqual(
    open.training.errors.map(({ line }) => line),
    [4],
  );
});

test("what a finding quotes of the file is cut short", async () => {
  const huge = "😀".repeat(400);
  const { validation } = await prepare(jsonl(rowsOf(4)), { validationContent: jsonl([{ text: "a", label: huge }]) });
  assert.equal(validation!.errors[0]!.code, "unknown_label");
  assert.ok(validation!.errors[0]!.message.length < 300);
  const csv = await prepare(`text,label\n${"x".repeat(100_000)}"y,z\n`, { filename: "a.csv" });
  assert.ok(csv.training.errors[0]!.message.length < 300);
  const line = await prepare(`{"text": "${"x".repeat(5_000_000)}", "label": "a"}\n`);
  assert.equal(line.training.errors[0]!.code, "line_too_long");
});

test("a validation file without rows is an error", async () => {
  const { validation, training } = await prepare(jsonl(rowsOf(4)), { validationContent: "\n" });
  assert.equal(training.errorCount, 0);
  assert.deepEqual(
    validation!.errors.map(({ code }) => code),
    ["empty_file"],
  );
});

test("weight 0, numbers, booleans and blank texts are taken as documented", async () => {
  const rows = [
    { text: "a", label: 1 },
    { text: "b", label: true },
    { text: " ", label: "x" },
    {
      messages: [
        { role: "user", content: "c" },
        { role: "assistant", content: "x", weight: 0 },
      ],
    },
  ];
  const { labels, training } = await prepare(jsonl(rows));
  assert.deepEqual(labels, ["1", "true"]);
  assert.deepEqual(
    training.warnings.map(({ line, code }) => [line, code]),
    [[3, "empty_text"]],
  );
});

test("more than 10,000 labels are refused", async () => {
  const rows = Array.from({ length: 10_002 }, (_, i) => ({ text: `t ${i}`, label: `l ${i}` }));
  const { training } = await prepare(jsonl(rows));
  assert.deepEqual(
    training.errors.map(({ line, code }) => [line, code]),
    [
      [10_001, "too_many_labels"],
      [10_002, "too_many_labels"],
    ],
  );
});

test("arbitrary bytes are read or refused, never more than refused", async () => {
  const separated = fc.array(fc.constantFrom("text", "label", ",", "\t", '"', "\n", "\r", "é", "{", "}"));
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    separated.map((pieces) => Buffer.from(`text,label\n${pieces.join("")}`)),
  );
  await fc.assert(
    fc.asyncProperty(content, fc.constantFrom("a", "a.csv", "a.tsv"), async (bytes, filename) => {
      const { training, train, valid } = await prepare(bytes, { filename });
      assert.ok(training.errorCount > 0 || train.length + valid.length >= 2);
    }),
    { numRuns: 60 },
  );
});

test("rows of any text and label come through as they are, by JSONL and by CSV", async () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== "");
  const quote = (field: string) => `"${field.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(word, { minLength: 2, maxLength: 12 }), async (texts) => {
      const rows = texts.map((text, i) => ({ text, label: `${texts[i % 2]}` }));
      const csv = ["text,label", ...rows.map(({ text, label }) => `${quote(text)},${quote(label)}`)].join("\n");
      for (const made of [await prepare(jsonl(rows)), await prepare(csv, { filename: "a.csv" })]) {
        assert.deepEqual(made.training.errors, []);
        assert.deepEqual(
          new Set([...made.train, ...made.valid].map((row) => JSON.stringify(row))),
          new Set(rows.map((row) => JSON.stringify(row))),
        );
      }
    }),
    { numRuns: 20 },
  );
});
