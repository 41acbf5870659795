/** Reference statistics by SciPy and statsmodels, and the samples by formula that they were computed from. */
import assert from "node:assert/strict";
import found from "../../support/golden/statistics.json" with { type: "json" };

export const golden = found;

/** Uniform in (0, 1), as test/support/golden/statistics.py makes them. */
export function sample(length: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  });
}

/** Equal to `tolerance`, of the greater of 1 and the expected. */
export function near(actual: number, expected: number, tolerance = 1e-9, what = ""): void {
  const away = Math.abs(actual - expected);
  assert.ok(away <= tolerance * Math.max(1, Math.abs(expected)), `${what} ${actual} is not ${expected}`);
}
