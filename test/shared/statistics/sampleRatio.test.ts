/** Arms that did not get their shares are caught, and others are not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { randomOf } from "../../../shared/statistics/random.ts";
import { sampleRatio } from "../../../shared/statistics/sampleRatio.ts";
import { golden, near } from "./golden.ts";

describe("the sample ratio", () => {
  it("is judged as SciPy judges it", () => {
    for (const { exposures, shares, ...expected } of golden.sampleRatio) {
      const found = sampleRatio(exposures, shares);
      near(found.statistic, expected.statistic);
      near(found.pValue, expected.pValue);
      near(found.sequentialPValue, expected.sequentialPValue, 1e-8);
    }
  });

  it("is caught at 5,200 against 4,800", () => {
    assert.equal(sampleRatio([5200, 4800], [0.5, 0.5]).mismatch, true);
    assert.equal(sampleRatio([5100, 4900], [0.5, 0.5]).mismatch, false);
  });

  it("may be looked at after each exposure", () => {
    let alarms = 0;
    for (let run = 0; run < 200; run++) {
      const random = randomOf(run);
      const exposures = [0, 0, 0];
      const shares = [0.2, 0.3, 0.5];
      let lowest = 1;
      for (let i = 0; i < 500; i++) {
        const place = random.uniform();
        exposures[place < 0.2 ? 0 : place < 0.5 ? 1 : 2]!++;
        lowest = Math.min(lowest, sampleRatio(exposures, shares).sequentialPValue);
      }
      if (lowest < 0.05) alarms++;
    }
    assert.ok(alarms / 200 <= 0.09, `${alarms} of 200`);
  });

  it("is broken by an exposure of an arm without a share, and unknown before the first", () => {
    assert.equal(sampleRatio([50, 1, 50], [0.5, 0, 0.5]).mismatch, true);
    assert.deepEqual(sampleRatio([0, 0], [0.5, 0.5]), {
      statistic: 0,
      pValue: 1,
      sequentialPValue: 1,
      mismatch: false,
    });
  });

  it("names what it cannot take", () => {
    assert.throws(() => sampleRatio([1, 2], [0.5, 0.6]), {
      name: "RangeError",
      message: /shares must be shares whose sum is 1/,
    });
    assert.throws(() => sampleRatio([1, 2.5], [0.5, 0.5]), {
      name: "RangeError",
      message: /exposures\[1\] must be a whole number/,
    });
    assert.throws(() => sampleRatio([1], [0.5, 0.5]), {
      name: "RangeError",
      message: /exposures must be as long as shares/,
    });
  });
});
