/** Exact confidence sequences cover the difference at every look, under chances of assignment that change. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  addBounded,
  type BoundedOptions,
  readBounded,
  startBounded,
} from "../../../shared/statistics/boundedSequence.ts";
import { randomOf } from "../../../shared/statistics/random.ts";

interface World {
  /** Mean outcome of the arms, untreated first. */
  means: readonly [number, number];
  propensityAt: (i: number) => number;
  options: BoundedOptions;
}

/** The share of seeded runs of booleans whose interval misses the difference at any look, and how many find one at all. */
function simulate({ means, propensityAt, options }: World, runs = 120, outcomes = 1500) {
  const [low, high] = options.range ?? [0, 1];
  let [missed, found] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const random = randomOf(run + 1, 9);
    const state = startBounded();
    let misses = false;
    for (let i = 0; i < outcomes; i++) {
      const propensity = propensityAt(i);
      const treated = random.uniform() < propensity;
      const outcome = random.uniform() < means[treated ? 1 : 0] ? high : low;
      addBounded(state, { outcome, treated, propensity }, options);
      const { lower, upper } = readBounded(state, options);
      const truth = (means[1] - means[0]) * (high - low);
      if (lower > truth || upper < truth) misses = true;
    }
    if (misses) missed++;
    if (readBounded(state, options).pValue < 0.05) found++;
  }
  return { missed: missed / runs, found: found / runs };
}

describe("an exact confidence sequence", () => {
  const even = { propensityAt: () => 0.5, options: { horizon: 1000 } };
  const uneven = { propensityAt: (i: number) => (i % 2 ? 0.2 : 0.7), options: { horizon: 1000, leastPropensity: 0.2 } };
  const scaled = { propensityAt: () => 0.5, options: { horizon: 1000, range: [-5, 5] as const } };

  for (const [name, world] of Object.entries({ even, uneven, scaled })) {
    it(`covers at all looks in 19 of 20 runs at least: ${name}`, () => {
      for (const means of [
        [0.2, 0.2],
        [0.5, 0.8],
        [0.05, 0.02],
      ] as const) {
        assert.ok(simulate({ means, ...world }).missed <= 0.06, JSON.stringify(means));
      }
    });
  }

  it("finds a difference that is there, and hardly ever one that is not", () => {
    assert.ok(simulate({ means: [0.3, 0.5], ...even }).found > 0.95);
    assert.ok(simulate({ means: [0.3, 0.3], ...even }).found <= 0.06);
  });

  it("has a p-value below alpha once 0 was outside the interval", () => {
    const random = randomOf(3);
    const state = startBounded();
    let everOutside = false;
    for (let i = 0; i < 800; i++) {
      const treated = random.uniform() < 0.5;
      addBounded(
        state,
        { outcome: Number(random.uniform() < (treated ? 0.7 : 0.3)), treated, propensity: 0.5 },
        even.options,
      );
      const { lower, upper, pValue } = readBounded(state, even.options);
      everOutside ||= lower > 0 || upper < 0;
      assert.equal(pValue < 0.05, everOutside);
    }
    assert.ok(everOutside);
  });

  it("changes sign when arms change names", () => {
    const [state, mirrored] = [startBounded(), startBounded()];
    const random = randomOf(5);
    for (let i = 0; i < 300; i++) {
      const [outcome, treated] = [random.uniform(), random.uniform() < 0.3];
      const options = { horizon: 300, leastPropensity: 0.3 };
      addBounded(state, { outcome, treated, propensity: 0.3 }, options);
      addBounded(mirrored, { outcome, treated: !treated, propensity: 0.7 }, options);
    }
    const [one, other] = [state, mirrored].map((of) => readBounded(of, { horizon: 300, leastPropensity: 0.3 }));
    assert.ok(Math.abs(one!.difference + other!.difference) < 1e-9);
  });

  it("goes on from a state that was stored", () => {
    const unit = (i: number) => ({ outcome: i % 3 ? 1 : 0, treated: i % 2 === 0, propensity: 0.5 });
    const whole = startBounded();
    for (let i = 0; i < 60; i++) addBounded(whole, unit(i), even.options);
    let stored = startBounded();
    for (let i = 0; i < 60; i++) {
      addBounded(stored, unit(i), even.options);
      stored = JSON.parse(JSON.stringify(stored));
    }
    assert.deepEqual(stored, whole);
  });

  it("names what it cannot take", () => {
    const add = (unit: object) => () => {
      addBounded(startBounded(), { outcome: 1, treated: true, propensity: 0.5, ...unit }, even.options);
    };
    assert.throws(add({ outcome: 2 }), { name: "RangeError", message: /outcome must be from 0 to 1, not 2/ });
    assert.throws(add({ propensity: 0.1 }), { name: "RangeError", message: /propensity must be from/ });
    const call = () => readBounded(startBounded(), { horizon: 10, leastPropensity: 0.6 });
    assert.throws(call, { name: "RangeError", message: /leastPropensity must be above 0 and at most 0.5/ });
  });
});
