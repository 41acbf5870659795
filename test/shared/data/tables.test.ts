/** Rows of tables in training files: any format gives the same cells, and what does not fit is told by line and column. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type DatasetOptions, prepareDataset } from "../../../shared/data/dataset.ts";
import { jsonl } from "../../support/trainingData.ts";

let directory: string;
let runs = 0;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-tables-"));
});
after(() => rm(directory, { recursive: true, force: true }));

interface Options extends Partial<DatasetOptions> {
  filename?: string;
  validationContent?: string;
}

async function prepare(content: string, { filename = "a.jsonl", validationContent, ...rest }: Options = {}) {
  const own = join(directory, String(runs++));
  const training = { path: `${own}.training`, filename };
  await writeFile(training.path, content);
  const validation = validationContent === undefined ? undefined : { path: `${own}.validation`, filename };
  if (validation) await writeFile(validation.path, validationContent!);
  const options = { training, validation, directory: own, seed: 1, kind: "table", ...rest } as const;
  const dataset = await prepareDataset({ ...options, holdOut: { share: 0, most: 0 }, ...rest });
  const rows = async () => {
    const lines = (await readFile(dataset.trainFile, "utf8")).trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line)).map(({ text, label }) => [JSON.parse(text), dataset.labels[label]]);
  };
  const bad = dataset.training.errorCount || dataset.validation?.errorCount;
  return { ...dataset, rows: bad ? [] : await rows() };
}

const expected = [
  [{ age: "39", member: "true", work: "Private" }, "yes"],
  [{ age: "-4.5", work: "State, gov" }, "no"],
];

test("JSONL under either name, CSV and TSV give the same cells: any order, any type, whatever stands for nothing", async () => {
  const first = { work: " Private", age: 39, member: true, gone: null };
  const second = { age: "-4.5", work: "State, gov", member: "?", gone: "" };
  const files: [string, string][] = [
    ["a.jsonl", jsonl([{ input: first, label: "yes" }, "", { label: "no", input_json: second }].filter(Boolean))],
    [
      "a.jsonl",
      jsonl([
        { ...first, label: "yes" },
        { label: "no", ...second },
      ]),
    ],
    ["a.csv", '\ufeffage, work ,Label,member\n39, Private, yes , true\n\n-4.5,"State, gov",no,NA\n'],
    ["a.tsv", "label\tmember\twork\tage\r\nyes\ttrue\tPrivate\t39\r\nno\t\tState, gov\t-4.5\r\n"],
  ];
  for (const [filename, content] of files) {
    const { rows, training } = await prepare(content, { filename });
    assert.deepEqual([training.errors, rows], [[], expected], filename);
  }
});

test("columns named as properties every object has are columns like others", async () => {
  const row = JSON.parse('{"__proto__": "a", "constructor": 1, "hasOwnProperty": "b"}');
  const { rows } = await prepare(
    jsonl([
      { input: row, label: "x" },
      { input: { a: 1 }, label: "y" },
    ]),
  );
  assert.equal(JSON.stringify(rows[0]), '[{"__proto__":"a","constructor":"1","hasOwnProperty":"b"},"x"]');
});

test("equal rows all count, as they are cases and not repeats", async () => {
  const row = { input: { a: 1 }, label: "x" };
  const { trainRows, training } = await prepare(jsonl([row, row, row, { ...row, label: "y" }]));
  assert.deepEqual([trainRows, training.warningCount], [4, 0]);
});

test("what is wrong with a row is told by line and column", async () => {
  const good = [
    { input: { a: 1, b: "x" }, label: "x" },
    { input: { a: 2 }, label: "y" },
  ].map((row) => JSON.stringify(row));
  const bad = [
    ['{"input": {"a": [1]}, "label": "x"}', "invalid_value", /column "a" holds a list/],
    ['{"input": {"a": {"b": 1}}, "label": "x"}', "invalid_value", /column "a" holds an object/],
    ['{"text": "hello", "label": "x"}', "missing_columns", /no row of a table/],
    ['{"messages": [{"role": "user", "content": "a"}], "label": "x"}', "missing_columns", /./],
    ['{"input": [{"a": 1}], "label": "x"}', "missing_columns", /./],
    ['{"input": {"a": 1}}', "missing_label", /./],
    [`{"input": {"${"n".repeat(101)}": 1}, "label": "x"}`, "invalid_column_name", /nnn/],
  ] as const;
  const { training } = await prepare([...good, ...bad.map(([line]) => line)].join("\n"));
  assert.deepEqual(
    training.errors.map(({ line, code }) => [line, code]),
    bad.map(([, code], i) => [i + 3, code]),
  );
  for (const [i, [, , message]] of bad.entries()) assert.match(training.errors[i]!.message, message);
});

test("a header that fits no table, and a row that does not fit its header, are refused", async () => {
  const files: [string, string, number][] = [
    ["a,b\n1,2\n", "missing_label", 1],
    ["text,label\na,b\n", "missing_columns", 1],
    ["a,a,label\n1,2,x\n", "invalid_column_name", 1],
    ["a,,label\n1,2,x\n", "invalid_column_name", 1],
    ["a,label\n1,x\n2,y,z\n", "invalid_csv", 3],
  ];
  for (const [content, code, line] of files) {
    const { training } = await prepare(content, { filename: "a.csv" });
    assert.deepEqual([training.errors[0]?.code, training.errors[0]?.line], [code, line], content);
  }
});

test("a text model is not given tables", async () => {
  const { training } = await prepare(jsonl([{ input: { a: 1 }, label: "x" }]), { kind: "text" });
  assert.deepEqual(
    training.errors.map(({ line, code }) => [line, code]),
    [[1, "table_row"]],
  );
  const csv = await prepare("a,label\n1,x\n", { kind: "text", filename: "a.csv" });
  assert.equal(csv.training.errors[0]!.code, "missing_text");
});

test("validation rows must have the columns of the training file, and numbers where it has only numbers", async () => {
  const training = jsonl([
    { input: { a: 1, b: "u" }, label: "x" },
    { input: { a: 2, b: 3 }, label: "y" },
  ]);
  const validationContent = jsonl([
    { input: { a: 5, b: "new" }, label: "x" },
    { input: { b: 1 }, label: "x" },
    { input: { c: 1 }, label: "x" },
    { input: { a: "many" }, label: "x" },
  ]);
  const { validation } = await prepare(training, { validationContent });
  assert.deepEqual(
    validation!.errors.map(({ line, code }) => [line, code]),
    [
      [3, "unknown_column"],
      [4, "invalid_value"],
    ],
  );
  assert.match(validation!.errors[1]!.message, /column "a" holds "many", and numbers elsewhere/);
});

test("a column of numbers but for a few cells is warned of, with the line of the first", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({
    input: { a: i === 17 ? "12 kg" : i, b: i % 2 },
    label: `${i % 3}`,
  }));
  const { training, trainRows, validRows } = await prepare(jsonl([...rows, { input: { a: null }, label: "0" }]));
  assert.deepEqual(
    training.warnings.map(({ line, code }) => [line, code]),
    [
      [41, "empty_row"],
      [18, "mixed_column"],
    ],
  );
  assert.match(training.warnings[1]!.message, /column "a" holds "12 kg", and numbers elsewhere/);
  assert.equal(trainRows + validRows, 40);
});

test("more than 500 columns are refused", async () => {
  const wide = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`column ${i}`, i]));
  const { training } = await prepare(jsonl([{ input: wide, label: "x" }]));
  assert.deepEqual(
    training.errors.map(({ line, code }) => [line, code]),
    [[1, "too_many_columns"]],
  );
});
