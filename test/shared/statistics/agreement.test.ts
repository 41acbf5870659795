/** Agreement of labellers is Krippendorff's and Cohen's. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cohenKappa, krippendorffAlpha, type Level } from "../../../shared/statistics/agreement.ts";
import { randomOf } from "../../../shared/statistics/random.ts";
import { golden, near, sample } from "./golden.ts";

const { units, alphas, kappa } = golden.agreement;

describe("Krippendorff's alpha", () => {
  const published: Record<Level, number> = { nominal: 0.743, ordinal: 0.815, interval: 0.849 };
  for (const level of Object.keys(published) as Level[]) {
    it(`is the published one at level ${level}, with values missing`, () => {
      near(krippendorffAlpha(units, level)!, alphas[level], 1e-9);
      assert.equal(krippendorffAlpha(units, level)!.toFixed(3), published[level].toFixed(3));
    });
  }

  it("is 1 of labellers who agree, near 0 of labellers by chance, and below it of opponents", () => {
    assert.equal(
      krippendorffAlpha(
        [
          [1, 1],
          [2, 2, 2],
          [3, null, 3],
        ],
        "ordinal",
      ),
      1,
    );
    const random = randomOf(1);
    const chance = Array.from({ length: 3000 }, () => [random.below(3), random.below(3)]);
    assert.ok(Math.abs(krippendorffAlpha(chance, "nominal")!) < 0.05);
    assert.ok(
      krippendorffAlpha(
        [
          [0, 1],
          [1, 0],
          [0, 1],
        ],
        "nominal",
      )! < 0,
    );
  });

  it("is unknown where nothing was labelled twice, or nothing varies", () => {
    assert.equal(
      krippendorffAlpha(
        [
          [1, null],
          [null, 2],
        ],
        "nominal",
      ),
      null,
    );
    assert.equal(
      krippendorffAlpha(
        [
          [1, 1],
          [1, 1],
        ],
        "nominal",
      ),
      null,
    );
  });

  it("does not depend on the order of values in a unit, nor does the nominal one on their names", () => {
    const reversed = units.map((unit) => [...unit].reverse());
    near(krippendorffAlpha(reversed, "interval")!, alphas.interval);
    const renamed = units.map((unit) => unit.map((value) => (value === null ? null : -7 * value)));
    near(krippendorffAlpha(renamed, "nominal")!, alphas.nominal);
  });

  it("names what it cannot take", () => {
    assert.throws(() => krippendorffAlpha([[1, Number.NaN]], "nominal"), {
      name: "RangeError",
      message: /units must be a finite/,
    });
  });
});

describe("Cohen's kappa", () => {
  it("is scikit-learn's", () => {
    const first = sample(60, 9).map((place) => Math.floor(3 * place));
    const second = sample(60, 10).map((place, i) => (sample(60, 12)[i]! < 0.5 ? first[i]! : Math.floor(3 * place)));
    near(cohenKappa(first, second)!, kappa);
  });

  it("is unknown where both say one thing", () => {
    assert.equal(cohenKappa([1, 1], [1, 1]), null);
    assert.throws(() => cohenKappa([1], [1, 2]), {
      name: "RangeError",
      message: /second must be as long as first \(1\)/,
    });
  });
});
