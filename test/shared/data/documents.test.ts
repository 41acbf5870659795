/** Texts without labels: any format gives the same texts, repeats are used once, and a part is held out. */
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
  directory = await mkdtemp(join(tmpdir(), "millrace-documents-"));
});
after(() => rm(directory, { recursive: true, force: true }));

async function prepare(filename: string, content: string, holdOut: DatasetOptions["holdOut"] = { share: 0, most: 0 }) {
  const own = join(directory, String(runs++));
  await writeFile(`${own}.training`, content);
  const training = { path: `${own}.training`, filename };
  const dataset = await prepareDataset({ training, directory: own, seed: 1, kind: "document", holdOut });
  const textsOf = async (path: string) => {
    const lines = (await readFile(path, "utf8")).split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line).text as string);
  };
  return dataset.training.errorCount
    ? { ...dataset, train: [], valid: [] }
    : { ...dataset, train: await textsOf(dataset.trainFile), valid: await textsOf(dataset.validFile) };
}

test("JSONL, conversations, a column and plain lines give the same texts", async () => {
  const said = {
    messages: [
      { role: "user", content: "One." },
      { role: "assistant", content: [{ text: "Two." }] },
    ],
  };
  const files: [string, string, string[]][] = [
    ["a.jsonl", jsonl([{ text: "One.\nTwo." }, { text: "第三" }]), ["One.\nTwo.", "第三"]],
    ["b.jsonl", jsonl([said, { text: "第三" }]), ["One.\nTwo.", "第三"]],
    ["c.csv", 'id,Text\n1,"One.\nTwo."\n2,第三\n', ["One.\nTwo.", "第三"]],
    ["d.txt", "One. Two.\n\n第三\r\n", ["One. Two.", "第三"]],
  ];
  for (const [filename, content, texts] of files) {
    const { training, train, labels } = await prepare(filename, content);
    assert.deepEqual([training.errors, train, labels], [[], texts, [""]], filename);
  }
});

test("a label may stand beside a text, in the file that is learned from or the one to judge by", async () => {
  const { labels, train } = await prepare("a.jsonl", jsonl([{ text: "a", label: 1 }, { text: "b" }]));
  assert.deepEqual(
    [labels, train],
    [
      ["1", ""],
      ["a", "b"],
    ],
  );
  const bad = await prepare("a.jsonl", jsonl([{ text: "a", label: { x: 1 } }]));
  assert.equal(bad.training.errors[0]?.code, "missing_label");
});

test("repeats are used once, and held-out texts are not learned from", async () => {
  const lines = Array.from({ length: 40 }, (_, i) => `text number ${i % 30}`);
  const { train, valid, training } = await prepare("a.txt", lines.join("\n"), { share: 0.1, most: 100 });
  assert.equal(training.warningCount, 10);
  assert.equal(valid.length, 3);
  assert.deepEqual([...train, ...valid].sort(), [...new Set(lines)].sort());
});

test("what has no text is told by its line", async () => {
  const { training } = await prepare(
    "a.jsonl",
    jsonl([{ text: "good" }, { body: "x" }, { messages: [{ role: "user" }] }]),
  );
  assert.deepEqual(
    training.errors.map(({ line, code }) => [line, code]),
    [
      [2, "missing_text"],
      [3, "missing_text"],
    ],
  );
  assert.equal((await prepare("a.csv", "body\nx\n")).training.errors[0]?.code, "missing_text");
  assert.equal((await prepare("a.txt", "\n\n")).training.errors[0]?.code, "empty_file");
});
