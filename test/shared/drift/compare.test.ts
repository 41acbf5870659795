/** Drift is told where something moved, and no oftener than it is allowed to be where nothing did. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "../../../shared/drift/compare.ts";
import type { Observation } from "../../../shared/drift/observation.ts";
import { randomOf, shuffle } from "../../../shared/statistics/random.ts";
import { readDataSet } from "../../bench/dataSets.ts";
import { sharedFile } from "../../support/sharedFiles.ts";

const { skip } = sharedFile("data/banking77/train.jsonl.gz");
const set = skip ? undefined : readDataSet("banking77")!;

interface World {
  /** Of the labels by name, how many may occur. */
  labels?: number;
  text?: (text: string) => string;
  sure?: (uniform: number) => number;
  refusals?: number;
  solved?: number;
}

/** Rows of banking77's first labels, as if a model that is mostly right had answered them. */
function draw(seed: number, stream: number, count: number, world: World = {}): Observation[] {
  const { labels = 8, text = (same) => same, sure = (u) => u, refusals = 0.05, solved = 0.8 } = world;
  const random = randomOf(seed, stream);
  const rows = set!.train.filter(({ label }) => set!.labels.indexOf(label) < labels);
  const order = Int32Array.from(rows.keys());
  shuffle(order, random);
  return Array.from(order.subarray(0, count), (place): Observation => {
    const refused = random.uniform() < refusals;
    return {
      id: `req_${place}`,
      text: text(rows[place]!.text),
      label: refused ? null : rows[place]!.label,
      confidence: refused ? null : sure(random.uniform()),
      refused,
      outcomes: { solved: Number(random.uniform() < solved) },
    };
  });
}

test("of sixty pairs of windows alike about as many alarm as may", { skip }, () => {
  let alarms = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const both = draw(seed, 1, 75);
    const request = { reference: both.slice(0, 45), window: both.slice(45), alpha: 0.1, seed, permutations: 99 };
    if (compare(request).drifted) alarms++;
  }
  assert.ok(alarms >= 1 && alarms <= 13, `${alarms} alarms of 60 at a chance of 0.1`);
});

/** What moved, and which measure must say so. */
const shifts: Record<string, World> = {
  labels: { labels: 3 },
  lengths: { text: (text) => `${text} ${text} ${text}` },
  tokens: { text: (text) => text.replaceAll(/[aeiou]/g, "y") },
  texts: { text: (text) => text.replaceAll(/[aeiou]/g, "y") },
  confidence: { sure: (uniform) => uniform / 2 },
  refusals: { refusals: 0.5 },
  solved: { solved: 0.3 },
};

for (const [measure, world] of Object.entries(shifts)) {
  test(`a change of ${measure} is seen, and told where`, { skip }, () => {
    const request = {
      reference: draw(1, 1, 120),
      window: draw(1, 2, 60, world),
      alpha: 0.01,
      seed: 1,
    };
    const { drifted, measures } = compare(request);
    const found = measures.find(({ name }) => name === measure)!;
    assert.ok(drifted && found.drifted, JSON.stringify(measures));
    assert.ok(found.statistic > found.threshold && found.p_value <= 0.01, JSON.stringify(found));
    const calm = measures.filter(({ name }) => ["solved", "refusals"].includes(name) && name !== measure);
    for (const { drifted: also, statistic, threshold } of calm) assert.ok(!also && statistic <= threshold);
    if (measure === "solved") {
      assert.ok(found.reference_mean! > 0.65 && found.window_mean! < 0.45, JSON.stringify(found));
      assert.equal(found.aspect, "outcomes");
    }
  });
}

test("many metrics beside it do not hide a change", { skip }, () => {
  const judged = (rows: Observation[], seed: number) => {
    const random = randomOf(seed, 9);
    const outcomes = () => Object.fromEntries(Array.from({ length: 12 }, (_, k) => [`metric${k}`, random.uniform()]));
    return rows.map((row) => ({ ...row, outcomes: outcomes() }));
  };
  const request = { reference: judged(draw(1, 1, 60), 1), window: judged(draw(1, 2, 40, { labels: 2 }), 2), seed: 1 };
  const { measures } = compare({ ...request, alpha: 0.01 });
  assert.equal(measures.filter(({ aspect }) => aspect === "outcomes").length, 10);
  assert.ok(measures.find(({ name }) => name === "labels")!.drifted, JSON.stringify(measures));
});

test("the same seed tells the same, with the labels that moved and the strangest rows", { skip }, () => {
  const reference = draw(2, 1, 80);
  const window = [...draw(2, 2, 39, { labels: 2 }), { ...draw(2, 3, 1)[0]!, id: "req_odd", text: "zzz qqq www" }];
  const request = { reference, window, alpha: 0.05, seed: 3, permutations: 199 };
  const found = compare(request);
  assert.deepEqual(compare(request), found);
  assert.equal(found.examples[0]!.inference_id, "req_odd");
  const [first] = found.labels;
  assert.ok(Math.abs(first!.window - first!.reference) > 0.2, JSON.stringify(found.labels));
});

test("measures that too few rows have are left out, and rows all alike differ by nothing", () => {
  const alike = (i: number): Observation => ({
    ...{ id: `req_${i}`, text: "the same", label: null, confidence: null, refused: false },
    outcomes: i < 5 ? { solved: 1 } : {},
  });
  const rows = Array.from({ length: 60 }, (_, i) => alike(i));
  const { drifted, measures, p_value } = compare({
    reference: rows.slice(0, 30),
    window: rows.slice(30),
    alpha: 0.01,
    seed: 1,
  });
  assert.deepEqual(
    measures.map(({ name }) => name),
    ["lengths", "tokens", "texts"],
  );
  assert.deepEqual([drifted, p_value], [false, 1]);
});
