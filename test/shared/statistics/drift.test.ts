/** Distances of windows are SciPy's; thresholds by permutation hold what they promise. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  distancesOf,
  energyDistance,
  maximumMeanDiscrepancy,
  medianDistance,
} from "../../../shared/statistics/distances.ts";
import {
  binCounts,
  binEnds,
  jensenShannonDistance,
  kolmogorovSmirnov,
  populationStability,
} from "../../../shared/statistics/drift.ts";
import {
  driftThreshold,
  jointPermutationTest,
  permutationTest,
  type TwoSampleStatistic,
} from "../../../shared/statistics/permutation.ts";
import { randomOf } from "../../../shared/statistics/random.ts";
import { golden, near, sample } from "./golden.ts";

const [reference, window] = [
  [10, 20, 30, 0, 40],
  [20, 20, 10, 5, 45],
];
const indices = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
const chunks = (values: number[], size: number) =>
  Array.from({ length: values.length / size }, (_, i) => values.slice(size * i, size * (i + 1)));

/** The distance of the means of some numbers. */
const meansOf = (values: readonly number[]): TwoSampleStatistic => {
  const mean = (items: Int32Array) => items.reduce((sum, item) => sum + values[item]!, 0) / items.length;
  return (first, second) => Math.abs(mean(first) - mean(second));
};

describe("distances of distributions", () => {
  it("of counts are the reference's", () => {
    near(populationStability(reference, window), golden.drift.psi);
    near(jensenShannonDistance(reference, window), golden.drift.jensenShannon);
  });

  it("of counts are nothing at home, the same both ways, and 1 where nothing is shared", () => {
    assert.equal(populationStability(reference, reference), 0);
    near(jensenShannonDistance(reference, reference), 0);
    near(populationStability(window, reference), populationStability(reference, window), 1e-12);
    near(jensenShannonDistance([5, 0], [0, 3]), 1);
  });

  it("of numbers are Kolmogorov's and Smirnov's", () => {
    const [a, b] = [sample(60, 21), sample(45, 22).map((value) => value ** 1.5)];
    const found = kolmogorovSmirnov(a, b);
    near(found.statistic, golden.drift.ks);
    near(found.pValue, golden.drift.ksPValue);
    assert.deepEqual(kolmogorovSmirnov([1, 1, 2], [2, 1, 1]), { statistic: 0, pValue: 1 });
  });

  it("of vectors are the energy distance and the maximum mean discrepancy", () => {
    const numbers = [...sample(60, 21), ...sample(45, 22).map((value) => value ** 1.5)].map((value) => [value]);
    near(energyDistance(distancesOf(numbers))(indices(0, 60), indices(60, 105)), golden.drift.energy);
    const rows = [
      ...chunks(sample(120, 23), 4),
      ...chunks(
        sample(100, 24).map((value) => 0.2 + value),
        4,
      ),
    ];
    const found = distancesOf(rows);
    near(medianDistance(found), golden.drift.width);
    near(maximumMeanDiscrepancy(found)(indices(0, 30), indices(30, 55)), golden.drift.mmd);
  });

  it("bins hold as much of the reference each, and every number", () => {
    const ends = binEnds(sample(1000, 3), 10);
    assert.ok([...binCounts(sample(1000, 3), ends)].every((count) => Math.abs(count - 100) <= 1));
    assert.deepEqual([...binCounts([-1e9, 1e9, ends[0]!], ends)], [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert.deepEqual(binEnds([1, 1, 1, 1], 4), [1]);
  });

  it("name what they cannot take", () => {
    assert.throws(() => populationStability([1], [1, 2]), {
      name: "RangeError",
      message: /window must be as long as reference/,
    });
    assert.throws(() => jensenShannonDistance([0, 0], [1, 2]), {
      name: "RangeError",
      message: /reference must hold a count/,
    });
    assert.throws(() => kolmogorovSmirnov([1, Number.NaN], [2]), {
      name: "RangeError",
      message: /first\[1\] must be a finite/,
    });
    assert.throws(() => distancesOf([[1, 2], [1]]), { name: "RangeError", message: /rows\[1\] must have 2 numbers/ });
  });
});

describe("permutation", () => {
  it("nears the test of all permutations", () => {
    const values = [1, 2, 3, 9.5, 4, 5, 6, 7, 12];
    const { pValue } = permutationTest({ first: 4, second: 5 }, meansOf(values), { permutations: 20_000, seed: 1 });
    near(pValue, golden.drift.permutation, 0.01);
  });

  it("counts what was seen, so that nothing is impossible", () => {
    const values = [...sample(30, 5), ...sample(30, 6).map((value) => value + 10)];
    const { pValue } = permutationTest({ first: 30, second: 30 }, meansOf(values), { permutations: 99, seed: 1 });
    assert.equal(pValue, 0.01);
  });

  it("finds what moved, and one in twenty windows that did not", () => {
    let [found, alarms] = [0, 0];
    for (let run = 0; run < 150; run++) {
      const random = randomOf(run, 2);
      const rows = (length: number, shift: number) =>
        Array.from({ length }, () => [random.uniform() + shift, random.uniform()]);
      const test = (shift: number) => {
        const statistic = energyDistance(distancesOf([...rows(25, 0), ...rows(25, shift)]));
        return permutationTest({ first: 25, second: 25 }, statistic, { permutations: 99, seed: run }).pValue <= 0.05;
      };
      if (test(0)) alarms++;
      if (test(0.4)) found++;
    }
    assert.ok(alarms / 150 < 0.11 && found / 150 > 0.9, `${alarms} and ${found} of 150`);
  });

  it("sets thresholds by the reference window, which few windows without drift exceed", () => {
    const values = sample(400, 77);
    const threshold = driftThreshold({ reference: 400, window: 50 }, meansOf(values), { seed: 1, alpha: 0.05 });
    let exceeded = 0;
    for (let run = 0; run < 200; run++) {
      const fresh = randomOf(run, 3);
      const all = [...values, ...Array.from({ length: 50 }, () => fresh.uniform())];
      if (meansOf(all)(indices(0, 400), indices(400, 450)) > threshold) exceeded++;
    }
    assert.ok(exceeded / 200 < 0.11, `${exceeded} of 200`);
    const moved = [...values, ...Array(50).fill(0.7)];
    assert.ok(meansOf(moved)(indices(0, 400), indices(400, 450)) > threshold);
  });

  it("names a window too long for its reference", () => {
    const call = () => driftThreshold({ reference: 30, window: 20 }, () => 0, { seed: 1 });
    assert.throws(call, { name: "RangeError", message: /reference must be a whole number of at least 40/ });
  });
});

describe("several statistics at once", () => {
  const values = (seed: number) => {
    const random = randomOf(seed);
    return Array.from({ length: 40 }, () => random.uniform());
  };

  it("one alone has the p-value of its own test, and exceeds its threshold where that is small enough", () => {
    for (const shift of [0, 0.4]) {
      const own = values(9).map((value, i) => value + (i < 20 ? 0 : shift));
      const sizes = { first: 20, second: 20 };
      const alone = permutationTest(sizes, meansOf(own), { seed: 4, permutations: 499 });
      const { statistics, pValue } = jointPermutationTest(sizes, [meansOf(own)], {
        seed: 4,
        permutations: 499,
        alpha: 0.05,
      });
      const [only] = statistics;
      near(only!.statistic, alone.statistic);
      near(pValue, alone.pValue);
      near(only!.pValue, alone.pValue);
      assert.equal(only!.statistic > only!.threshold, only!.pValue <= 0.05);
    }
  });

  it("ten without a difference alarm no oftener together than one may", () => {
    const [runs, alpha] = [100, 0.1];
    let [family, plain] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const ten = Array.from({ length: 10 }, (_, k) => meansOf(values(1000 * run + k)));
      const options = { seed: run, permutations: 99, alpha };
      const sizes = { first: 20, second: 20 };
      const { pValue, statistics } = jointPermutationTest(sizes, ten, options);
      assert.equal(
        pValue <= alpha,
        statistics.some((own) => own.pValue <= alpha),
      );
      if (pValue <= alpha) family++;
      if (ten.some((one, k) => permutationTest(sizes, one, { ...options, seed: run + k }).pValue <= alpha)) plain++;
    }
    assert.ok(family <= 19 && family >= 3, `${family} of ${runs}`);
    assert.ok(plain > 2 * family, `uncorrected ${plain}`);
  });

  it("needs permutations enough for its level", () => {
    const sizes = { first: 20, second: 20 };
    assert.throws(
      () => jointPermutationTest(sizes, [meansOf(values(1))], { seed: 1, permutations: 50 }),
      /permutations/,
    );
    assert.throws(() => jointPermutationTest(sizes, [], { seed: 1 }), /statistics\.length/);
  });
});
