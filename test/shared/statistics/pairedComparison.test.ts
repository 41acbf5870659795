/** Two models on the same items, and proportions, are compared as statsmodels compares them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { discordanceOf, mcNemar, nonInferiority, pairedInterval } from "../../../shared/statistics/pairedComparison.ts";
import { newcombeInterval, wilsonInterval } from "../../../shared/statistics/proportions.ts";
import { golden, near } from "./golden.ts";

const discordance = fc
  .tuple(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 500 }))
  .map(([onlyCandidate, onlyIncumbent, alike]) => ({
    items: onlyCandidate + onlyIncumbent + alike,
    onlyCandidate,
    onlyIncumbent,
  }));

describe("a paired comparison", () => {
  it("has McNemar's exact and mid p-value, Tango's interval and non-inferiority", () => {
    for (const { pValue, midPValue, interval, nonInferiorByTwoPoints, ...counts } of golden.paired) {
      near(mcNemar(counts).pValue, pValue, 1e-9);
      near(mcNemar(counts).midPValue, midPValue, 1e-9);
      near(pairedInterval(counts).lower, interval[0]!, 1e-6);
      near(pairedInterval(counts).upper, interval[1]!, 1e-6);
      near(nonInferiority(counts, 0.02).pValue, nonInferiorByTwoPoints, 1e-6);
    }
  });

  it("counts items that one model alone has right", () => {
    const found = discordanceOf([true, true, false, false, true], [1, 0, 1, 0, 0]);
    assert.deepEqual(found, { items: 5, onlyCandidate: 2, onlyIncumbent: 1 });
    assert.throws(() => discordanceOf([1], []), { name: "RangeError", message: /incumbent must be as long/ });
  });

  it("says of any counts what its parts say", () => {
    fc.assert(
      fc.property(discordance, fc.constantFrom(0.01, 0.03, 0.1), (counts, margin) => {
        const { estimate, lower, upper } = pairedInterval(counts, 0.1);
        assert.ok(lower <= estimate + 1e-9 && estimate <= upper + 1e-9 && lower >= -1 && upper <= 1);
        // A one-sided test at 5 % is the lower end of a two-sided interval at 90 %.
        const { nonInferior, pValue } = nonInferiority(counts, margin, 0.05);
        if (Math.abs(lower + margin) > 1e-6) assert.equal(nonInferior, lower > -margin);
        assert.ok(nonInferiority(counts, margin + 0.05).pValue <= pValue + 1e-12);
        const swapped = { ...counts, onlyCandidate: counts.onlyIncumbent, onlyIncumbent: counts.onlyCandidate };
        assert.deepEqual(mcNemar(swapped), mcNemar(counts));
        near(pairedInterval(swapped, 0.1).upper, -lower, 1e-6);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("names what it cannot take", () => {
    const counts = { items: 3, onlyCandidate: 2, onlyIncumbent: 2 };
    assert.throws(() => mcNemar(counts), {
      name: "RangeError",
      message: /items must be at least onlyCandidate \+ onlyIncumbent/,
    });
    assert.throws(() => nonInferiority({ ...counts, items: 9 }, 0), {
      name: "RangeError",
      message: /margin must be between/,
    });
  });
});

describe("proportions", () => {
  it("have Wilson's interval", () => {
    for (const [k, n, low, high] of golden.proportions.wilson) {
      const { lower, upper } = wilsonInterval(k!, n!);
      near(lower, low!, 1e-9);
      near(upper, high!, 1e-9);
    }
    assert.throws(() => wilsonInterval(3, 2), {
      name: "RangeError",
      message: /successes must be at most trials \(2\), not 3/,
    });
  });

  it("have Newcombe's interval of their difference", () => {
    for (const [a, m, b, n, low, high] of golden.proportions.newcombe) {
      const { lower, upper } = newcombeInterval({ successes: a!, trials: m! }, { successes: b!, trials: n! });
      near(lower, low!, 1e-9);
      near(upper, high!, 1e-9);
    }
  });
});
