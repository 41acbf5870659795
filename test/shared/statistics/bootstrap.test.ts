/** Bootstrap intervals end where SciPy's do, repeat by their seed, and cover. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bcaLevels, bootstrapInterval, quantile } from "../../../shared/statistics/bootstrap.ts";
import { macroF1Of } from "../../../shared/statistics/macroF1.ts";
import { randomOf } from "../../../shared/statistics/random.ts";
import { golden, near, sample } from "./golden.ts";

const meanOf = (values: ArrayLike<number>) => (items: Int32Array) =>
  items.reduce((sum, item) => sum + values[item]!, 0) / items.length;
const everything = (length: number) => Int32Array.from({ length }, (_, i) => i);

describe("the bootstrap", () => {
  it("ends at SciPy's bias-corrected and accelerated quantiles", () => {
    const data = sample(40, 3).map((value) => value ** 3);
    const estimates = Float64Array.from({ length: 500 }, (_, r) =>
      meanOf(data)(Int32Array.from(sample(40, 100 + r), (place) => Math.floor(place * 40))),
    ).sort();
    const all = everything(40);
    const without = Float64Array.from(all, (left) => meanOf(data)(all.filter((item) => item !== left)));
    const levels = bcaLevels(meanOf(data)(all), estimates, without, 0.05);
    golden.bootstrap.levels.forEach((level, end) => {
      near(levels[end]!, level, 1e-8);
      near(quantile(estimates, levels[end]!), golden.bootstrap.quantiles[end]!, 1e-8);
    });
  });

  it("gives the same interval for the same seed, and nearly for another", () => {
    const data = sample(200, 5);
    const [one, again, other] = [7, 7, 8].map((seed) => bootstrapInterval(200, meanOf(data), { seed }));
    assert.deepEqual(one, again);
    assert.notEqual(one!.lower, other!.lower);
    near(one!.lower, other!.lower, 0.01);
  });

  for (const method of ["percentile", "bca"] as const) {
    it(`covers the mean of skewed values in some 95 of 100 samples (${method})`, () => {
      let covered = 0;
      for (let run = 0; run < 150; run++) {
        const random = randomOf(run, 4);
        const data = Array.from({ length: 60 }, () => -Math.log(1 - random.uniform()));
        const { lower, upper } = bootstrapInterval(60, meanOf(data), { seed: run, resamples: 400, method });
        if (lower <= 1 && 1 <= upper) covered++;
      }
      assert.ok(covered / 150 > 0.87 && covered / 150 < 0.995, `${covered} of 150`);
    });
  }

  it("has no width where all items are alike", () => {
    const alike = bootstrapInterval(20, () => 0.5, { seed: 1 });
    assert.deepEqual(alike, { estimate: 0.5, lower: 0.5, upper: 0.5 });
  });

  it("names what it cannot take", () => {
    assert.throws(() => bootstrapInterval(1, () => 0, { seed: 1 }), {
      name: "RangeError",
      message: /items must be a whole number/,
    });
    assert.throws(() => bootstrapInterval(9, () => 0, { seed: 1, resamples: 5 }), {
      name: "RangeError",
      message: /resamples/,
    });
  });
});

describe("macro-F1", () => {
  const truth = sample(90, 5).map((place) => Math.floor(place * 4));
  const told = sample(90, 6).map((place, i) => (sample(90, 8)[i]! < 0.6 ? truth[i]! : Math.floor(place * 5)));

  it("is scikit-learn's", () => {
    near(macroF1Of(truth, told, 5)(everything(90)), golden.macroF1);
  });

  it("of two models differs over items drawn together", () => {
    const [good, poor] = [macroF1Of(truth, truth, 4), macroF1Of(truth, told, 5)];
    const { estimate, lower, upper } = bootstrapInterval(90, (items) => good(items) - poor(items), { seed: 2 });
    near(estimate, 1 - golden.macroF1);
    assert.ok(lower > 0.2 && lower < estimate && estimate < upper);
  });

  it("names a class that is none", () => {
    assert.throws(() => macroF1Of([0, 4], [0, 1], 4), {
      name: "RangeError",
      message: /truth\[1\] must be from 0 to 3, not 4/,
    });
  });
});
