/** CUPED's difference is that of a regression on arm and covariate, and plain where the covariate tells nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cuped } from "../../../shared/statistics/cuped.ts";
import { addOutcome, armOf, noSums, sumsOf } from "../../../shared/statistics/moments.ts";
import { golden, near, sample } from "./golden.ts";

function outcomes() {
  const [x, noise] = [sample(400, 7), sample(400, 11)];
  const arms = [noSums(), noSums()] as const;
  x.forEach((covariate, i) => {
    const treated = i % 3 === 0;
    addOutcome(arms[treated ? 0 : 1], 2 + (treated ? 0.3 : 0) + 1.7 * covariate + noise[i]!, covariate);
  });
  return arms;
}

describe("CUPED", () => {
  it("gives the coefficients of least squares", () => {
    const { theta, treatment, control, varianceReduction } = cuped(...outcomes());
    near(theta, golden.cuped.theta);
    near(treatment.mean - control.mean, golden.cuped.difference);
    near(treatment.variance, golden.cuped.variances[0]!);
    near(control.variance, golden.cuped.variances[1]!);
    const [before] = outcomes().map(armOf);
    assert.ok(varianceReduction > 0.6 && treatment.variance < 0.4 * before!.variance);
  });

  it("leaves arms as they are whose covariate never varies", () => {
    const ys = sample(40, 3);
    const [a, b] = [sumsOf(ys.slice(0, 20), Array(20).fill(0.1)), sumsOf(ys.slice(20), Array(20).fill(0.1))];
    const found = cuped(a, b);
    assert.deepEqual(found, { theta: 0, varianceReduction: 0, treatment: armOf(a), control: armOf(b) });
  });

  it("tells nothing new of a covariate that has nothing to do with outcomes", () => {
    const half = (values: number[], at: number) => values.slice(300 * at, 300 * (at + 1));
    const [y, x] = [sample(600, 31), sample(600, 33)];
    const found = cuped(sumsOf(half(y, 0), half(x, 0)), sumsOf(half(y, 1), half(x, 1)));
    assert.ok(found.varianceReduction < 0.02);
  });
});
