/** Distribution functions are SciPy's. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  betaCdf,
  betaQuantile,
  binomialCdf,
  chiSquaredSurvival,
  kolmogorovSurvival,
  normalCdf,
  normalQuantile,
} from "../../../shared/statistics/distributions.ts";
import { golden } from "./golden.ts";

const named = { betaCdf, betaQuantile, binomialCdf, chiSquaredSurvival, kolmogorovSurvival, normalCdf, normalQuantile };

describe("distribution functions", () => {
  for (const [name, distribution] of Object.entries(named)) {
    it(`${name} is SciPy's`, () => {
      const rows = golden.distributions.filter(([of]) => of === name) as [string, number[], number][];
      assert.ok(rows.length >= 5);
      for (const [, args, expected] of rows) {
        const actual = (distribution as (...args: number[]) => number)(...args);
        // Tails count by their order of magnitude: 1e-15 is not 0.
        const away = Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300);
        assert.ok(actual === expected || away < 1e-8, `${name}(${args}) is ${actual}, not ${expected}`);
      }
    });
  }

  it("ends where distributions end", () => {
    assert.deepEqual(
      [betaCdf(0, 2, 3), betaCdf(1, 2, 3), binomialCdf(-1, 4, 0.5), binomialCdf(4, 4, 0.5)],
      [0, 1, 0, 1],
    );
    assert.deepEqual([normalQuantile(0), normalQuantile(1)], [-Infinity, Infinity]);
    assert.deepEqual([chiSquaredSurvival(1e6, 1), kolmogorovSurvival(0)], [0, 1]);
  });
});
