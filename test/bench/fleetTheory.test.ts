/** The simulator of fleets where mathematics says what comes out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { randomOf } from "../../shared/statistics/random.ts";
import { exponential } from "./fleetArrivals.ts";
import { gpu, plain, run } from "./fleetCalm.ts";
import { Clock } from "./fleetClock.ts";
import { alwaysOn } from "./fleetDays.ts";
import { mean, sum } from "./fleetMeasures.ts";

describe("simulated time", () => {
  it("goes by time, then by what was arranged first, and leaves out what was cancelled", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 60 }), (moments) => {
        const clock = new Clock();
        const happened: [number, number][] = [];
        moments.forEach(([moment, cancelled], order) => {
          const arranged = clock.at(moment, () => happened.push([clock.now, order]));
          if (cancelled) arranged.cancel();
        });
        clock.run();
        const wanted = moments.flatMap(([moment, cancelled], order) => (cancelled ? [] : [[moment, order] as const]));
        assert.deepEqual(
          happened,
          wanted.sort((a, b) => a[0] - b[0] || a[1] - b[1]),
        );
      }),
    );
  });

  it("cannot be arranged for the past", () => {
    const clock = new Clock();
    clock.at(5, () => assert.throws(() => clock.at(4, () => {}), /It is 5 s/));
    clock.run();
  });
});

/** Mean waits of independent runs of Poisson arrivals, a worker's `servers` being always on; the first jobs are left out. */
function meanWaits(servers: number, load: number, seconds: (uniform: number) => number): number[] {
  return Array.from({ length: 12 }, (_, i) => {
    const random = randomOf(i + 1, 40);
    let moment = 0;
    const arrivals = Array.from({ length: 4000 }, () => {
      moment += exponential(random, load * servers);
      return { at: moment, seconds: seconds(random.uniform()) };
    });
    const compute = { ...gpu, hostSeconds: 0, startSeconds: 0 };
    const { jobs } = run({ policy: alwaysOn(plain, servers), spot: false, compute, arrivals });
    return mean(jobs.slice(500).map(({ arrivedAt, startedAt }) => startedAt! - arrivedAt));
  });
}

/** Within 99.9 of 100 intervals around the mean of twelve runs (Student's t with 11 degrees of freedom: 4.437). */
function assertAgrees(values: readonly number[], expected: number): void {
  const middle = mean(values);
  const error = Math.sqrt(sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1) / values.length);
  assert.ok(Math.abs(middle - expected) < 4.437 * error, `${middle} ± ${4.437 * error} is not ${expected}`);
  assert.ok(4.437 * error < 0.4 * expected, `${middle} ± ${4.437 * error} says nothing`);
}

/** Mean wait of M/M/c for a mean service of 1 (Erlang 1917). */
function erlangC(servers: number, load: number): number {
  const offered = load * servers;
  let term = 1;
  let below = 0;
  for (let k = 0; k < servers; k++) {
    below += term;
    term *= offered / (k + 1);
  }
  const busy = term / (1 - load);
  return busy / (below + busy) / (servers * (1 - load));
}

describe("a fleet that is always on", () => {
  it("keeps jobs of exponential length waiting as Erlang's formula says", () => {
    for (const [servers, load] of [
      [1, 0.7],
      [4, 0.7],
    ] as const) {
      assertAgrees(
        meanWaits(servers, load, (uniform) => -Math.log(1 - uniform)),
        erlangC(servers, load),
      );
    }
  });

  it("keeps jobs of one length waiting half as long as those on a single worker", () => {
    const load = 0.7;
    assertAgrees(
      meanWaits(1, load, () => 1),
      load / (2 * (1 - load)),
    );
  });
});
