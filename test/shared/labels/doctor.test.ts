/** The label doctor finds labels that were made wrong, and leaves sound ones alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { examine } from "../../../shared/labels/doctor.ts";
import { outOfFold } from "../../../shared/labels/outOfFold.ts";
import { readDataSet } from "../../bench/dataSets.ts";
import { flip } from "../../bench/labels.ts";
import { sharedFile } from "../../support/sharedFiles.ts";
import { rowsOf } from "../../support/trainingData.ts";

const { skip } = sharedFile("data/banking77/train.jsonl.gz");

test("of ten intents with a twentieth of labels flipped most are found, and most suspects were flipped", {
  skip,
}, () => {
  const { train, labels } = readDataSet("banking77")!;
  const rows = train.filter(({ label }) => labels.indexOf(label) < 10);
  const truth = rows.map(({ label }) => label);
  const given = flip(truth, 0.05, 3);
  const wrong = new Set(given.keys().filter((row) => given[row] !== truth[row]));
  const { suspects, noise, agreement } = examine({ texts: rows.map(({ text }) => text), labels: given });
  const hits = suspects.filter(({ row }) => wrong.has(row));
  assert.ok(hits.length >= 0.7 * wrong.size, `${hits.length} of ${wrong.size} found`);
  assert.ok(hits.length >= 0.5 * suspects.length, `${hits.length} of ${suspects.length} suspects were flipped`);
  assert.ok(hits.filter(({ row, suggested }) => suggested === truth[row]).length > 0.8 * hits.length);
  assert.ok(noise > 0.02 && noise < 0.12, `noise ${noise}`);
  assert.ok(agreement > 0.8 && agreement < 1, `agreement ${agreement}`);
  const doubts = suspects.map(({ doubt }) => doubt);
  assert.deepEqual(
    doubts,
    doubts.toSorted((a, b) => b - a),
    "the surest first",
  );
  for (const { given: label, row, suggested } of suspects) {
    assert.equal(label, given[row]);
    assert.notEqual(suggested, label);
  }
});

test("a row's own label has no part in what is said of it, and the seed decides all else", () => {
  const rows = rowsOf(20);
  const names = [...new Set(rows.map(({ label }) => label))];
  const texts = rows.map(({ text }) => text);
  const labels = Int32Array.from(rows, ({ label }) => names.indexOf(label));
  const set = { texts, labels, classes: names.length };
  assert.deepEqual(outOfFold(set, { seed: 5 }), outOfFold(set, { seed: 5 }));
  // Said once more with another label, which it alone has, a text is given the label of its like.
  const other = { texts: [...texts, texts[0]!], labels: Int32Array.from([...labels, names.length]) };
  const own = outOfFold({ ...other, classes: names.length + 1 }).subarray(texts.length * (names.length + 1));
  assert.equal(own.indexOf(Math.max(...own)), labels[0]);
  assert.ok(own[names.length]! < 0.05, `${own[names.length]}`);
  assert.ok(Math.abs(own.reduce((sum, value) => sum + value, 0) - 1) < 1e-5);
});

test("a set without doubt has no suspects, and one of a single label no complaint", () => {
  const { suspects } = examine({ texts: ["a b", "a c", "a d", "x y", "x z", "x w"], labels: [..."ppp", ..."qqq"] });
  assert.deepEqual(suspects, []);
  assert.deepEqual(examine({ texts: ["a", "b"], labels: ["p", "p"] }).suspects, []);
});
