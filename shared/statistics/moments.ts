/** Sums of an arm's outcomes, from which all that experiments tell is computed: a result needs no rows. */
import { checkCount, checkFinite } from "./checks.ts";

/**
 * Plain sums, so that they may be added to in any order and from many places at once, and an outcome that is corrected
 * may be taken out again. Outcomes whose mean is more than a million deviations from 0 lose their variance to rounding:
 * subtract a constant from such.
 */
export interface Sums {
  n: number;
  y: number;
  yy: number;
  /** Of the covariate: what was known of the unit before it was exposed. */
  x: number;
  xx: number;
  xy: number;
}

/** What a comparison is told of an arm. */
export interface Arm {
  n: number;
  mean: number;
  /** Of one outcome, unbiased. */
  variance: number;
}

export const noSums = (): Sums => ({ n: 0, y: 0, yy: 0, x: 0, xx: 0, xy: 0 });

/** `sums` with an outcome more, in place; `times` -1 takes one out. A boolean is 0 or 1. */
export function addOutcome(sums: Sums, y: number, x = 0, times: 1 | -1 = 1): void {
  checkFinite("y", y);
  checkFinite("x", x);
  sums.n += times;
  sums.y += times * y;
  sums.yy += times * y * y;
  sums.x += times * x;
  sums.xx += times * x * x;
  sums.xy += times * x * y;
}

export function sumsOf(outcomes: ArrayLike<number>, covariates?: ArrayLike<number>): Sums {
  const sums = noSums();
  for (let i = 0; i < outcomes.length; i++) addOutcome(sums, outcomes[i]!, covariates?.[i]);
  return sums;
}

export function mergeSums(a: Sums, b: Sums): Sums {
  return { n: a.n + b.n, y: a.y + b.y, yy: a.yy + b.yy, x: a.x + b.x, xx: a.xx + b.xx, xy: a.xy + b.xy };
}

export function armOf({ n, y, yy }: Sums): Arm {
  return { n, mean: n > 0 ? y / n : 0, variance: n > 1 ? Math.max(0, yy - (y * y) / n) / (n - 1) : 0 };
}

export function checkArm(name: string, { n, mean, variance }: Arm): void {
  checkCount(`${name}.n`, n);
  checkFinite(`${name}.mean`, mean);
  if (!(variance >= 0 && variance < Infinity)) {
    throw new RangeError(`${name}.variance must be a number of at least 0, not ${variance}.`);
  }
}
