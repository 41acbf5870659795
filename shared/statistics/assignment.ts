/** Which arm a unit gets: a pure function of the unit and the experiment's salt, that nobody need write down to repeat. */
import { hash } from "node:crypto";
import { checkShares, checkWithin } from "./checks.ts";

/** Where a unit lies in [0, 1), uniform over units and independent from salt to salt; 53 bits of SHA-256. */
export function positionOf(salt: string, unit: string): number {
  // The length keeps ("a", "bc") and ("ab", "c") apart.
  const digest = hash("sha256", `${salt.length}:${salt}${unit}`, "buffer");
  return (digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11)) / 2 ** 53;
}

/** Whether a unit is in an experiment of which `share` of all units are; as the share grows, those within stay. */
export function isEnrolled(salt: string, unit: string, share: number): boolean {
  checkWithin("share", share, [0, 1]);
  return positionOf(`${salt}/enrolled`, unit) < share;
}

/**
 * The arm of a unit, whose experiment has had these shares, first to last. When shares change, only units of arms that
 * shrink move, as few as can be, and only to arms that grow: where one arm grows, all of its units stay.
 */
export function armFor(salt: string, unit: string, stages: readonly (readonly number[])[]): number {
  const [first, ...later] = stages;
  if (!first) throw new RangeError("stages must hold the shares of one stage at least.");
  checkShares("stages[0]", first);
  let arm = armAt(positionOf(`${salt}/0`, unit), first);
  later.forEach((shares, i) => {
    checkShares(`stages[${i + 1}]`, shares);
    if (shares.length !== first.length) {
      throw new RangeError(`stages[${i + 1}] must have ${first.length} shares, not ${shares.length}.`);
    }
    arm = moved(arm, stages[i]!, shares, (step) => positionOf(`${salt}/${i + 1}/${step}`, unit));
  });
  return arm;
}

/** The arm whose stretch of [0, 1) holds a position; rounding at the end falls to the last arm that has a share. */
export function armAt(position: number, shares: readonly number[]): number {
  let end = 0;
  for (let arm = 0; arm < shares.length; arm++) {
    end += shares[arm]!;
    if (position < end) return arm;
  }
  return shares.findLastIndex((share) => share > 0);
}

function moved(
  arm: number,
  before: readonly number[],
  after: readonly number[],
  position: (step: "stays" | "goes") => number,
): number {
  if (after[arm]! >= before[arm]! || position("stays") < after[arm]! / before[arm]!) return arm;
  const growth = after.map((share, i) => Math.max(0, share - before[i]!));
  const all = growth.reduce((sum, part) => sum + part, 0);
  return armAt(
    position("goes"),
    growth.map((part) => part / all),
  );
}
