/** What is believed of arms, the shares they get for it, and when one may stop. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { normalCdf } from "../../../shared/statistics/distributions.ts";
import { randomOf } from "../../../shared/statistics/random.ts";
import {
  beliefOf,
  betaPosterior,
  normalPosterior,
  topTwoShares,
  verdictOn,
} from "../../../shared/statistics/topTwoThompson.ts";
import { golden, near } from "./golden.ts";

const prior = { mean: 0, deviation: 1000 };

describe("beliefs", () => {
  it("are those of an integral over the posteriors", () => {
    const { betas, best, expectedLoss } = golden.bestArm;
    const belief = beliefOf(betas.map(([a, b]) => betaPosterior(a! - 1, b! - 1)));
    best.forEach((chance, arm) => {
      near(belief.best[arm]!, chance, 1e-3);
    });
    expectedLoss.forEach((loss, arm) => {
      near(belief.expectedLoss[arm]!, loss, 1e-4);
    });
  });

  it("of two normal arms are those of their difference", () => {
    const [a, b] = [
      { n: 100, mean: 5, variance: 4 },
      { n: 400, mean: 5.3, variance: 4 },
    ];
    const { best, expectedLoss } = beliefOf([normalPosterior(a, prior), normalPosterior(b, prior)]);
    const z = 0.3 / Math.sqrt(4 / 100 + 4 / 400);
    near(best[1]!, normalCdf(z), 1e-3);
    near(expectedLoss[0]! - expectedLoss[1]!, 0.3, 1e-3);
  });

  it("are even of arms alike, and certain of arms far apart", () => {
    for (const chance of beliefOf([1, 2, 3].map(() => betaPosterior(10, 20))).best) near(chance, 1 / 3, 1e-6);
    const { best } = beliefOf([betaPosterior(9000, 1000), betaPosterior(100, 9900)]);
    assert.ok(best[0]! > 1 - 1e-9);
  });
});

describe("shares of top-two Thompson sampling", () => {
  it("are as often taken as the procedure of drawing takes them", () => {
    const best = [0.15, 0.6, 0.25];
    const shares = topTwoShares({ best, expectedLoss: [0, 0, 0] });
    const random = randomOf(8);
    const draw = () => {
      const place = random.uniform();
      return place < 0.15 ? 0 : place < 0.75 ? 1 : 2;
    };
    const counts = [0, 0, 0];
    for (let i = 0; i < 40_000; i++) {
      const leader = draw();
      let taken = leader;
      if (random.uniform() >= 0.5) while (taken === leader) taken = draw();
      counts[taken]!++;
    }
    counts.forEach((count, arm) => {
      near(shares[arm]!, count / 40_000, 0.01);
    });
  });

  it("give the leader its part once it is certain, share the rest, and leave no arm below the least", () => {
    const shares = topTwoShares({ best: [1 - 3e-6, 2e-6, 1e-6], expectedLoss: [0, 1, 1] });
    near(shares[0]!, 0.5, 1e-3);
    near(shares[1]! / shares[2]!, 2, 1e-3);
    const floored = topTwoShares({ best: [1, 0, 0], expectedLoss: [0, 1, 1] }, { beta: 0.9, leastShare: 0.1 });
    assert.ok(floored.every((share) => share >= 0.1 - 1e-12));
    near(
      floored.reduce((sum, share) => sum + share, 0),
      1,
    );
  });

  it("name what they cannot take", () => {
    const belief = { best: [0.5, 0.5], expectedLoss: [0, 0] };
    assert.throws(() => topTwoShares(belief, { leastShare: 0.6 }), {
      name: "RangeError",
      message: /leastShare must be from 0 to 0.5/,
    });
    assert.throws(() => topTwoShares(belief, { beta: 0 }), { name: "RangeError", message: /beta must be between/ });
    assert.throws(() => betaPosterior(-1, 2), { name: "RangeError", message: /successes must be a whole number/ });
    assert.throws(() => beliefOf([betaPosterior(1, 1)]), { name: "RangeError", message: /posteriors must be two/ });
  });
});

describe("the stopping rule", () => {
  const belief = { best: [0.03, 0.97], expectedLoss: [0.02, 0.0004] };
  it("stops where an arm is certain, or nothing is left to lose, and not before there is enough to tell", () => {
    assert.deepEqual(verdictOn(belief, [500, 500], { certainty: 0.95 }), { arm: 1, stop: "certain" });
    assert.deepEqual(verdictOn(belief, [500, 99], { certainty: 0.95 }), { arm: 1, stop: null });
    assert.deepEqual(verdictOn(belief, [500, 500], {}), { arm: 1, stop: null });
    assert.deepEqual(verdictOn(belief, [500, 500], { tolerableLoss: 0.001 }), { arm: 1, stop: "no_loss_left" });
  });
});
