/** Sample sizes of a test of one look are statsmodels'. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { powerForMeans, sampleSizeForMeans, sampleSizeForProportions } from "../../../shared/statistics/power.ts";
import { golden, near } from "./golden.ts";

describe("power", () => {
  it("needs as many outcomes as statsmodels says", () => {
    // Its search leaves out the far tail, which is 1e-6 of the power.
    for (const [difference, deviation, n] of golden.power.means)
      near(sampleSizeForMeans(difference!, deviation!), n!, 1e-4);
    for (const [a, b, n] of golden.power.proportions) near(sampleSizeForProportions(a!, b!), n!, 1e-9);
    for (const [n, difference, deviation, power] of golden.power.reached) {
      near(powerForMeans(n!, difference!, deviation!), power!, 1e-9);
    }
  });

  it("comes back from the sample size it asked for", () => {
    for (const power of [0.5, 0.8, 0.95]) {
      near(powerForMeans(sampleSizeForMeans(0.2, 1.5, { power }), 0.2, 1.5), power, 1e-3);
    }
  });

  it("names what it cannot take", () => {
    assert.throws(() => sampleSizeForMeans(0, 1), {
      name: "RangeError",
      message: /\|difference\| must be a positive number/,
    });
    assert.throws(() => sampleSizeForProportions(0.2, 0.2), { name: "RangeError", message: /\|treatment - control\|/ });
  });
});
