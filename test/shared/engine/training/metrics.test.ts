/** Metrics against counts by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { areaUnderCurve, hitRate, rootMeanSquaredError } from "../../../../shared/engine/training/metrics.ts";
import { randomValues } from "../run.ts";

describe("the area under the ROC curve", () => {
  it("is the share of pairs in the right order, equal scores counting half", () => {
    assert.equal(areaUnderCurve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 0.75);
    assert.equal(areaUnderCurve([1, 2, 3, 4], [0, 0, 1, 1]), 1);
    assert.equal(areaUnderCurve([1, 2, 3, 4], [1, 1, 0, 0]), 0);
    assert.equal(areaUnderCurve([7, 7, 7], [1, 0, 1]), 0.5);
  });

  it("is that share of any scores, with and without equals", () => {
    const scores = randomValues(60, { seed: 4 }).map((value) => Math.round(value * 5));
    const labels = randomValues(60, { seed: 9 }).map((value) => (value > 0.3 ? 1 : 0));
    const [positives, negatives] = [1, 0].map((side) => [...scores.keys()].filter((row) => labels[row] === side));
    const pairs = positives!.flatMap((a) => negatives!.map((b) => (Math.sign(scores[a]! - scores[b]!) + 1) / 2));
    const share = pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
    assert.ok(Math.abs(areaUnderCurve(scores, labels) - share) < 1e-12);
  });

  it("is not defined for rows of one kind", () => {
    assert.throws(() => areaUnderCurve([1, 2], [1, 1]), /rows of both kinds/);
  });
});

it("the root of the mean squared error is in the unit of the targets", () => {
  assert.equal(rootMeanSquaredError([3, 5], [0, 9]), Math.sqrt(12.5));
});

describe("the hit rate", () => {
  const scores = Float32Array.of(0.1, 0.9, 0.5, 0.2, 3, 1, 2, 0);

  it("counts the rows whose item is among the first", () => {
    const ranking = { scores, targets: [2, 3], items: 4 };
    assert.deepEqual(
      [1, 2, 3, 4].map((k) => hitRate(ranking, k)),
      [0, 0.5, 0.5, 1],
    );
  });

  it("leaves equal scores to chance", () => {
    const equal = { scores: new Float32Array(4), targets: [1], items: 4 };
    assert.deepEqual(
      [1, 2, 4].map((k) => hitRate(equal, k)),
      [0.25, 0.5, 1],
    );
    const behind = { scores: Float32Array.of(5, 1, 1, 0), targets: [2], items: 4 };
    assert.deepEqual(
      [1, 2, 3].map((k) => hitRate(behind, k)),
      [0, 0.5, 1],
    );
  });
});
