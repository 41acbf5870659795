/** Figures of agreement, against ones worked out by hand and by formula. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { agreementOf, type Compared } from "../../../infra/import/agreement.ts";

/** Of each pair of answers so many, every fourth learned from. */
function comparedOf(pairs: readonly [recorded: string, answered: string, count: number][]): Compared[] {
  const all = pairs.flatMap(([recorded, answered, count]) =>
    Array.from({ length: count }, () => ({ recorded, answered })),
  );
  return all.map((each, i) => ({ ...each, id: `c${i}`, text: `text ${i}`, wasLearned: i % 4 === 0 }));
}

const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs(actual! - expected) < 5e-5, `${actual} is not ${expected}`);

test("Cohen's own kind of table: shares, Wilson's intervals, kappa and pairs", () => {
  // 20 a/a, 5 a/b, 10 b/a, 15 b/b: agreed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa 0.4.
  const figures = agreementOf(
    comparedOf([
      ["a", "a", 20],
      ["a", "b", 5],
      ["b", "a", 10],
      ["b", "b", 15],
    ]),
  );
  assert.deepEqual([figures.asked, figures.agreed], [50, 35]);
  near(figures.kappa!, 0.4);
  // Wilson's formula at z = 1.959964, in Python.
  near(figures.share!.lower, 0.56248);
  near(figures.share!.upper, 0.80898);
  assert.deepEqual(
    figures.classes.map(({ label, asked, agreed, answered }) => [label, asked, agreed, answered]),
    [
      ["a", 25, 20, 30],
      ["b", 25, 15, 20],
    ],
  );
  assert.deepEqual(
    figures.disagreements.map(({ recorded, answered, count, examples }) => [
      recorded,
      answered,
      count,
      examples.length,
    ]),
    [
      ["b", "a", 10, 3],
      ["a", "b", 5, 3],
    ],
  );
  assert.deepEqual(figures.disagreements[1]!.examples[0], { id: "c20", text: "text 20" });
  // Thirteen of the fifty are learned from; of those 5 + 4 are the same (places 0 to 16, and 36 to 48).
  assert.deepEqual([figures.unlearned.asked, figures.unlearned.agreed], [37, 26]);
});

test("answers that are all alike, and none at all, have no kappa", () => {
  const alike = agreementOf(comparedOf([["a", "a", 4]]));
  assert.deepEqual([alike.kappa, alike.agreed, alike.disagreements], [null, 4, []]);
  const none = agreementOf([]);
  assert.deepEqual([none.kappa, none.share, none.classes, none.unlearned.asked], [null, null, [], 0]);
});
