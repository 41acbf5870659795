/** Two runs on the same items: pairs, tables and intervals that can be counted by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { canonical } from "../../../shared/evals/canonical.ts";
import * as rules from "../../../shared/evals/compare.ts";
import { mcNemar } from "../../../shared/statistics/pairedComparison.ts";

const outcome = (key: string, label: string | null, output: string, changes: Partial<rules.Outcome> = {}) => {
  const passed = output === label;
  const status = passed ? ("pass" as const) : ("fail" as const);
  return { key, status, output, results: [{ score: passed ? 1 : 0, passed }], fields: [label], ...changes };
};
/** Letters: the right label, what `a` says, what `b` says. */
const pairsOf = (...triples: string[]): rules.Pair[] =>
  triples.map(([label, a, b], i) => ({ a: outcome(`${i}`, label!, a!), b: outcome(`${i}`, label!, b!) }));

test("an item is the same in whatever order its fields stand, and as often as it is there", () => {
  assert.equal(canonical({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}');
  const [x, y, z] = ["x", "y", "z"].map((key) => outcome(key, "l", "l"));
  const other = outcome("x", "l", "second");
  const bad = outcome("y", "l", "l", { status: "error" });
  const found = rules.pairUp([x!, x!, y!], [z!, x!, other, bad]);
  assert.deepEqual(
    found.pairs.map(({ b }) => b.output),
    ["l", "second"],
    "in order",
  );
  assert.deepEqual([found.unpaired, found.errored], [{ a: 0, b: 1 }, 1]);
});

test("counts, McNemar and intervals of pairs are those of the discordant ones", () => {
  const pairs = pairsOf(..."aaa aaa aab aba aba aba abb aba aba".split(" "));
  const found = rules.tested(pairs, ({ status }) => status === "pass");
  assert.deepEqual([found.both, found.only_a, found.only_b, found.neither], [2, 1, 5, 1]);
  assert.ok(Math.abs(found.difference.estimate - 4 / 9) < 1e-12);
  assert.ok(found.difference.lower < 4 / 9 && found.difference.upper > 4 / 9);
  const { pValue, midPValue } = mcNemar({ items: 9, onlyCandidate: 5, onlyIncumbent: 1 });
  assert.deepEqual([found.p_value, found.mid_p_value], [pValue, midPValue]);
  assert.ok(Math.abs(found.p_value - (2 * 7) / 64) < 1e-12, "7 of 64 ways of six coins, on either side");
  const drawn = rules.meanDifference(pairs, ({ results }) => results[0]!.score);
  assert.equal(drawn.estimate, found.difference.estimate);
  assert.ok(drawn.lower >= -1 && drawn.lower < drawn.estimate && drawn.upper > drawn.estimate && drawn.upper <= 1);
  assert.deepEqual(
    rules.meanDifference(pairs, ({ results }) => results[0]!.score),
    drawn,
    "the same each time",
  );
});

test("classes have the recall, precision and macro F1 of each run; what is no right answer has none", () => {
  const pairs = pairsOf("aaa", "aab", "aba", "bbb", "bab", "ccx");
  const found = rules.byClass(pairs, 0)!;
  assert.deepEqual(
    found.rows.map(({ value, both, only_a, only_b, neither, precision_a, precision_b }) => [
      value,
      ...[both, only_a, only_b, neither, precision_a, precision_b],
    ]),
    [
      ["a", 1, 1, 1, 0, 2 / 3, 1],
      ["b", 1, 0, 1, 0, 1 / 2, 2 / 3],
      ["c", 0, 1, 0, 0, 1, null],
    ],
  );
  const f1 = (right: number, given: number, told: number) => (2 * right) / (given + told);
  const a = (f1(2, 3, 3) + f1(1, 2, 2) + f1(1, 1, 1)) / 3;
  const b = (f1(2, 3, 2) + f1(2, 2, 3) + 0 + 0) / 4;
  assert.ok(Math.abs(found.macro_f1.estimate - (b - a)) < 1e-12);
  assert.equal(rules.byClass(pairsOf("axx", "byy"), 0), undefined);
});

test("slices are by value, most frequent first; agreement counts outputs against each other", () => {
  const pairs = pairsOf("aab", "aaa", "bbb", "aba");
  const { rows, left_out } = rules.sliced(pairs, 0);
  assert.deepEqual(
    [rows.map(({ value, only_a }) => [value, only_a]), left_out],
    [
      [
        ["a", 1],
        ["b", 0],
      ],
      0,
    ],
  );
  const agreement = rules.agreementOf(pairs);
  assert.deepEqual(
    [agreement.share, agreement.outputs, agreement.counts],
    [
      0.5,
      ["a", "b"],
      [
        [1, 1],
        [1, 1],
      ],
    ],
  );
  assert.ok(Math.abs(agreement.kappa!) < 1e-12, "no more than chance");
  const many = Array.from({ length: 51 }, (_, i) => ({
    a: outcome(`${i}`, "l", `${i}`),
    b: outcome(`${i}`, "l", `${i}`),
  }));
  assert.deepEqual(rules.agreementOf(many), { share: 1, kappa: null, outputs: null, counts: null });
});
