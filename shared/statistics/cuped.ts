/**
 * A comparison made sharper by what was known of each unit before it was exposed (Deng, Xu, Kohavi and Walker 2013,
 * "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data").
 */
import { type Arm, armOf, type Sums } from "./moments.ts";

export interface Cuped {
  /** What is taken off an outcome for each unit of its covariate; 0 where the covariate tells nothing. */
  theta: number;
  /** The part of the difference's variance that is gone, from 0 to 1. */
  varianceReduction: number;
  treatment: Arm;
  control: Arm;
}

const centred = ({ n, x, y, xx, xy }: Sums) =>
  n > 0 ? { xx: xx - (x * x) / n, xy: xy - (x * y) / n } : { xx: 0, xy: 0 };

/** Arms whose outcomes are y - theta (x - mean of x); theta is one for both arms, so that the effect stays unbiased. */
export function cuped(treatment: Sums, control: Sums): Cuped {
  const [own, other] = [centred(treatment), centred(control)];
  const spread = own.xx + other.xx;
  // What rounding leaves of a covariate that never varies.
  const varies = spread > 1e-12 * (treatment.xx + control.xx);
  const theta = varies ? (own.xy + other.xy) / spread : 0;
  const middle = (treatment.x + control.x) / Math.max(1, treatment.n + control.n);
  const [before, after] = [
    [armOf(treatment), armOf(control)],
    [adjusted(treatment, theta, middle), adjusted(control, theta, middle)],
  ] as const;
  const noise = ([a, b]: readonly [Arm, Arm]) => a.variance / Math.max(1, a.n) + b.variance / Math.max(1, b.n);
  const varianceReduction = noise(before) > 0 ? Math.max(0, 1 - noise(after) / noise(before)) : 0;
  return { theta, varianceReduction, treatment: after[0], control: after[1] };
}

function adjusted(sums: Sums, theta: number, middle: number): Arm {
  const arm = armOf(sums);
  if (theta === 0 || sums.n < 2) return arm;
  const { xx, xy } = centred(sums);
  const variance = arm.variance + (theta * theta * xx - 2 * theta * xy) / (sums.n - 1);
  return { n: sums.n, mean: arm.mean - theta * (sums.x / sums.n - middle), variance: Math.max(0, variance) };
}
