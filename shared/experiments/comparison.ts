/** An arm against the control, by rows that may be looked at at any time. */
import type { ExperimentRecord } from "../schemas/experiment.ts";
import { asymptoticSequence, type Reading } from "../statistics/asymptoticSequence.ts";
import { addBounded, readBounded, startBounded } from "../statistics/boundedSequence.ts";
import { cuped } from "../statistics/cuped.ts";
import { armOf } from "../statistics/moments.ts";
import { type Observation, sumsByArm } from "./reading.ts";

export interface Compared extends Reading {
  varianceReduction: number;
}

export interface Pair {
  experiment: ExperimentRecord;
  arm: number;
  control: number;
}

const allAlpha = 0.05;

/** Of each comparison with the control, so that all of them together miss no more often. */
export const alphaOf = ({ arms }: Pick<ExperimentRecord, "arms">) => allAlpha / (arms.length - 1);

/** Shares that stay: sums of both arms, sharper by what was known of units before. */
export function compareFixed({ experiment, arm, control }: Pair, observations: readonly Observation[]): Compared {
  const sums = sumsByArm(experiment.arms.length, observations);
  const both = [sums[arm]!, sums[control]!] as const;
  const isKnown = observations.some(({ before }) => before !== undefined);
  const {
    treatment,
    control: base,
    varianceReduction,
  } = isKnown ? cuped(...both) : { treatment: armOf(both[0]), control: armOf(both[1]), varianceReduction: 0 };
  const options = { alpha: alphaOf(experiment), horizon: experiment.horizon };
  return { ...asymptoticSequence(treatment, base, options), varianceReduction };
}

/**
 * Shares that learn: one unit after the other, each by the chance that it had. Of more than two arms, among units of
 * these two a unit's chance is its arm's part of both shares.
 */
export function compareAdaptive(
  { experiment, arm, control }: Pair,
  observations: readonly Observation[],
  range: readonly [number, number],
): Compared {
  const { stages, horizon, arms, method } = experiment;
  const floor = method.type === "adaptive" ? method.floor_share! : 0.5;
  const leastPropensity = Math.min(0.5, floor / (1 - (arms.length - 2) * floor));
  const options = { alpha: alphaOf(experiment), horizon, range, leastPropensity };
  const state = startBounded();
  for (const { arm: own, stage, value } of observations) {
    if (own !== arm && own !== control) continue;
    const shares = stages[stage]!;
    const propensity = shares[arm]! / (shares[arm]! + shares[control]!);
    const outcome = Math.min(range[1], Math.max(range[0], value));
    addBounded(state, { outcome, treated: own === arm, propensity }, options);
  }
  return { ...readBounded(state, options), varianceReduction: 0 };
}
