/** Assignment is a function of unit and salt, uniform, independent between salts, and moves as few units as can be. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { armFor, isEnrolled, positionOf } from "../../../shared/statistics/assignment.ts";
import { sampleRatio } from "../../../shared/statistics/sampleRatio.ts";
import { golden } from "./golden.ts";

const units = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);

function countsOf(values: number[], of: number): number[] {
  const counts = Array<number>(of).fill(0);
  for (const value of values) counts[value]!++;
  return counts;
}

describe("assignment", () => {
  it("stays what it is, from release to release", () => {
    for (const { salt, unit, position } of golden.positions) assert.equal(positionOf(salt, unit), position);
  });

  it("gives arms their shares, whatever other experiments do", () => {
    const shares = [0.1, 0.25, 0.65];
    const arms = units.map((unit) => armFor("a", unit, [shares]));
    assert.ok(sampleRatio(countsOf(arms, 3), shares).pValue > 0.001);
    const other = units.map((unit) => armFor("b", unit, [[0.5, 0.5]]));
    const ofFirst = other.filter((_, i) => arms[i] === 1);
    assert.ok(sampleRatio(countsOf(ofFirst, 2), [0.5, 0.5]).pValue > 0.001);
  });

  it("keeps within whoever was enrolled as the share grows, in the same arm", () => {
    const within = (share: number) => units.filter((unit) => isEnrolled("a", unit, share));
    const [few, more] = [within(0.1), new Set(within(0.4))];
    assert.ok(Math.abs(few.length / units.length - 0.1) < 0.01);
    assert.ok(few.every((unit) => more.has(unit)));
    const arms = few.map((unit) => armFor("a", unit, [[0.5, 0.5]]));
    assert.ok(sampleRatio(countsOf(arms, 2), [0.5, 0.5]).pValue > 0.001, "enrolment and arm are independent");
  });

  it("moves units only from arms that shrink to arms that grow, and no more than need be", () => {
    const [first, second, third] = [
      [0.6, 0.3, 0.1],
      [0.4, 0.3, 0.3],
      [0.1, 0.4, 0.5],
    ];
    let before = units.map((unit) => armFor("ramp", unit, [first!]));
    for (const [from, to, stages] of [
      [first!, second!, [first!, second!]],
      [second!, third!, [first!, second!, third!]],
    ] as const) {
      const after = units.map((unit) => armFor("ramp", unit, stages));
      const moves = before.flatMap((arm, i) => (arm === after[i] ? [] : [[arm, after[i]!] as const]));
      assert.ok(moves.every(([a, b]) => to[a]! < from[a]! && to[b]! > from[b]!));
      const least = to.reduce((sum, share, i) => sum + Math.max(0, share - from[i]!), 0);
      assert.ok(Math.abs(moves.length / units.length - least) < 0.015);
      assert.ok(sampleRatio(countsOf(after, 3), to).pValue > 0.001);
      before = after;
    }
  });

  it("lies in [0, 1) for any strings, and tells apart how they are split", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (salt, unit) => {
        const position = positionOf(salt, unit);
        assert.ok(position >= 0 && position < 1);
        assert.notEqual(position, positionOf(salt + unit[0], unit.slice(1)));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("names what it cannot take", () => {
    assert.throws(() => isEnrolled("a", "b", 1.5), { name: "RangeError", message: /share must be from 0 to 1/ });
    assert.throws(() => armFor("a", "b", [[0.5, 0.5], [1]]), {
      name: "RangeError",
      message: /stages\[1\] must be two shares/,
    });
    assert.throws(() => armFor("a", "b", []), { name: "RangeError", message: /stages must hold/ });
  });
});
