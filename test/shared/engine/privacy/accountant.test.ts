/** The accountant against published values. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epsilonOf, noiseFor, renyiDivergences } from "../../../../shared/engine/privacy/accountant.ts";

const event = (sampleRate: number, noiseMultiplier: number, steps: number) => ({ sampleRate, noiseMultiplier, steps });

// Sample rate, noise multiplier, steps, delta; epsilon and order by Opacus (commit 4d0ebc84, analysis/rdp.py with
// DEFAULT_ALPHAS).
const opacus: readonly (readonly [number, number, number, number, number, number])[] = [
  [1, 1, 1, 1e-5, 4.728507067217623, 5.4],
  [1, 4, 1, 1e-5, 1.0125506277526435, 18],
  [0.01, 1, 1000, 1e-5, 2.1013652716430564, 7.8],
  [0.01, 1.1, 10000, 1e-5, 5.63199236854841, 4.7],
  [0.01, 4, 10000, 1e-5, 1.0354900660362476, 17],
  [256 / 60000, 1.1, 14040, 1e-5, 2.594363354953112, 8.1],
  [256 / 60000, 1.3, 3510, 1e-5, 0.9537572866489652, 17],
  [0.04, 1.5, 2250, 1e-5, 7.3291111714386545, 3.9],
  [0.032, 0.6, 300, 1e-4, 12.26327646469295, 2.1],
  [0.064, 1, 160, 1e-4, 5.359553538431148, 3.5],
  [0.1, 2, 100, 1e-4, 2.2143481223553447, 6.9],
  [0.02, 0.8, 500, 1e-3, 3.647089328834432, 3.5],
  [0.001, 0.8, 1000, 1e-6, 1.4618758575568853, 8.6],
  [0.05, 1.5, 1000, 1e-6, 6.667814390506994, 4.7],
];

function near(found: number, expected: number, within: number): void {
  assert.ok(Math.abs(found - expected) <= within, `${found} is not ${expected}`);
}

describe("epsilon", () => {
  it("is what Opacus reports, at the same order", () => {
    for (const [rate, noise, steps, delta, epsilon, order] of opacus) {
      const found = epsilonOf([event(rate, noise, steps)], delta);
      near(found.epsilon, epsilon, 1e-8);
      assert.equal(found.order, order);
    }
  });

  it("adds up over steps of different kinds", () => {
    near(epsilonOf([event(0.01, 1, 500), event(0.02, 1.2, 300)], 1e-5).epsilon, 2.2415997, 1e-7);
    // The example in the documentation of dp_accounting's compute_epsilon, whose best order is 23.
    const found = epsilonOf([event(1e-5, 1, 10), event(1e-4, 3, 4)], 1e-5);
    near(found.epsilon, 0.33634406, 1e-8);
    assert.equal(found.order, 23);
    near(
      epsilonOf([event(0.02, 1, 40)], 1e-5).epsilon,
      epsilonOf(Array(40).fill(event(0.02, 1, 1)), 1e-5).epsilon,
      1e-9,
    );
  });

  it("is not above dp_accounting's, which bounds fractional orders from above", () => {
    assert.ok(epsilonOf([event(0.04, 1.5, 2250)], 1e-5).epsilon < 7.3293347);
    assert.ok(renyiDivergences(event(0.01, 2.5, 50), [1.5])[0]! < 6.70579741e-4);
  });

  it("grows with steps and rate, falls with noise and delta, and is 0 where nothing is shown", () => {
    const epsilon = (rate: number, noise: number, steps: number, delta = 1e-5) =>
      epsilonOf([event(rate, noise, steps)], delta).epsilon;
    const base = epsilon(0.01, 1, 100);
    assert.ok(epsilon(0.01, 1, 101) > base && epsilon(0.011, 1, 100) > base);
    assert.ok(epsilon(0.01, 1.01, 100) < base && epsilon(0.01, 1, 100, 2e-5) < base);
    assert.deepEqual([epsilon(0, 1, 100), epsilon(0.01, 1, 0)], [0, 0]);
    // Just below a rate of 1, the closed form of 1.
    near(epsilon(1 - 1e-12, 3, 10), epsilon(1, 3, 10), 1e-6);
  });

  it("is refused for what is out of range, by name", () => {
    assert.throws(() => epsilonOf([event(1.1, 1, 1)], 1e-5), /sampleRate lies in \[0, 1\], not 1\.1/);
    assert.throws(() => epsilonOf([event(0.1, 0, 1)], 1e-5), /noiseMultiplier must be at least 0\.05, not 0/);
    assert.throws(() => epsilonOf([event(0.1, 1, 1.5)], 1e-5), /steps must be a whole number, not 1\.5/);
    assert.throws(() => epsilonOf([event(0.1, 1, 1)], 1), /delta lies in \(0, 1\), not 1/);
  });
});

describe("the Renyi divergence", () => {
  it("of whole and of fractional orders is exact", () => {
    near(renyiDivergences(event(0.04, 1.5, 1), [3.9])[0]!, 0.00183320219958, 1e-13);
    near(renyiDivergences(event(0.25, 0.7, 1), [3])[0]!, 1.1014272855812, 1e-12);
    near(renyiDivergences(event(0.1, 2, 1), [2.5])[0]!, 0.00359407719947, 1e-13);
    near(renyiDivergences(event(0.01, 2.5, 50), [50])[0]!, 0.0238460375, 1e-9);
  });

  it("of order 2 is ln(1 + q^2 (e^(1 / s^2) - 1))", () => {
    for (const [q, s] of [
      [0.3, 0.1],
      [0.01, 0.5],
      [0.5, 1],
      [0.2, 40],
    ] as const) {
      const exact = Math.log1p(q * q * Math.expm1(1 / (s * s)));
      near(renyiDivergences(event(q, s, 1), [2])[0]!, exact, 1e-12 * Math.max(1, exact));
    }
  });
});

describe("the noise for a budget", () => {
  it("is what Opacus and dp_accounting calibrate", () => {
    near(noiseFor({ epsilon: 8, delta: 1e-5, sampleRate: 0.04, steps: 2000 }), 1.3562, 1e-4);
    near(noiseFor({ epsilon: 8, delta: 1e-5, sampleRate: 0.04, steps: 90 * 25 }), 1.416, 3e-4);
  });

  it("keeps the budget, and hardly less would not", () => {
    for (const budget of [
      { epsilon: 1, delta: 1e-6, sampleRate: 0.02, steps: 500 },
      { epsilon: 3, delta: 1e-5, sampleRate: 1, steps: 4 },
    ]) {
      const { sampleRate, steps, delta, epsilon } = budget;
      const noise = noiseFor(budget);
      assert.ok(epsilonOf([event(sampleRate, noise, steps)], delta).epsilon <= epsilon);
      assert.ok(epsilonOf([event(sampleRate, noise * (1 - 1e-5), steps)], delta).epsilon > epsilon);
    }
  });

  it("is not sought below what a budget of any use asks for", () => {
    assert.equal(noiseFor({ epsilon: 1e4, delta: 1e-5, sampleRate: 0.1, steps: 1 }), 0.0625);
  });

  it("is refused where there is none", () => {
    assert.throws(
      () => noiseFor({ epsilon: 0, delta: 1e-5, sampleRate: 0.1, steps: 1 }),
      /epsilon must be more than 0/,
    );
    assert.throws(() => noiseFor({ epsilon: 1e-4, delta: 1e-5, sampleRate: 0.1, steps: 1 }), /no noise keeps epsilon/);
  });
});
