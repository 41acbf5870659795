/** Which numbers of the policy are good ones: many policies on the same days, dollars against waiting. */
import type { ComputeClass } from "../../shared/fleet/inputs.ts";
import type { FleetPolicy } from "../../shared/fleet/policy.ts";
import { arrivalsOf, daySeconds, type Pattern } from "./fleetArrivals.ts";
import { type Measures, mean, measuresOf } from "./fleetMeasures.ts";
import { type Setting, simulate, usual } from "./fleetSimulation.ts";

/** What is asked of every policy that is compared. */
export interface Trial {
  readonly compute: ComputeClass;
  /** What jobs take, of which each is as likely as any other. */
  readonly seconds: readonly number[];
  readonly patterns: readonly Pattern[];
  readonly seeds: readonly number[];
  /** Default: spot first, and a queue that is kept active. */
  readonly changes?: Partial<Pick<Setting, "spot" | "keepsActive">>;
}

export interface Tried {
  readonly policy: FleetPolicy;
  /** By pattern, means over the seeds. */
  readonly measures: readonly Measures[];
  readonly score: number;
}

/** Steps of one task, steps that double, and all at once. */
export function stepsUpTo(most: number): number[][] {
  const byOne = Array.from({ length: most }, (_, i) => i + 1);
  return [byOne, [...doublings(most), most], [most]];
}

const doublings = (most: number) => Array.from({ length: Math.ceil(Math.log2(most)) }, (_, i) => 2 ** i);

/** All combinations; the most tasks and the fall-back's size are the operator's and stay as they are. */
export function candidates(base: FleetPolicy): FleetPolicy[] {
  const taskSteps = stepsUpTo(base.taskSteps.at(-1)!);
  return combinations(base, {
    ...{ taskSteps, messagesPerTask: [1, 2, 4, 8, 16, 32], idlePeriods: [1, 3, 5, 10, 15, 20] },
    ...{ cooldownSeconds: [60, 300], fallbackPeriods: [3, 6, 10] },
  });
}

/** `base` with each combination of what is listed by field. */
export function combinations(
  base: FleetPolicy,
  lists: { readonly [Field in keyof FleetPolicy]?: readonly FleetPolicy[Field][] },
): FleetPolicy[] {
  return Object.entries(lists).reduce<FleetPolicy[]>(
    (policies, [field, values]) => policies.flatMap((policy) => values.map((value) => ({ ...policy, [field]: value }))),
    [base],
  );
}

/** Each day is the same for every policy: they differ in nothing else. */
export function tryPolicy(policy: FleetPolicy, trial: Trial): Tried {
  const measures = trial.patterns.map((pattern) =>
    meanMeasures(trial.seeds.map((seed) => day(policy, trial, pattern, seed))),
  );
  return { policy, measures, score: scoreOf(measures) };
}

export function day(policy: FleetPolicy, trial: Trial, pattern: Pattern, seed: number): Measures {
  const { compute, seconds, changes } = trial;
  const arrivals = arrivalsOf(pattern, seconds, seed);
  const setting = { policy, compute, arrivals, horizonSeconds: daySeconds, storms: pattern.storms, seed };
  return measuresOf(simulate({ ...setting, spot: true, keepsActive: true, ...usual, ...changes }), compute);
}

/** The best first. */
export function rank(policies: readonly FleetPolicy[], trial: Trial): Tried[] {
  return policies.map((policy) => tryPolicy(policy, trial)).sort((a, b) => a.score - b.score);
}

/** A wait of less is not worth money: jobs take about as long. */
const freeSeconds = 60;

/**
 * Lower is better: the mean over patterns of log dollars and log p95 wait, so that one percent of either is worth one of the
 * other on every kind of day, and no price of waiting has to be made up.
 */
export function scoreOf(measures: readonly Measures[]): number {
  return mean(measures.map(({ dollars, wait }) => Math.log(dollars) + Math.log(freeSeconds + wait.p95)));
}

/** Those than which no other is both cheaper and quicker, cheapest first; over all patterns. */
export function pareto(tried: readonly Tried[]): Tried[] {
  const byCost = [...tried].sort((a, b) => costOf(a) - costOf(b) || waitOf(a) - waitOf(b));
  let best = Number.POSITIVE_INFINITY;
  return byCost.filter((one) => {
    if (waitOf(one) >= best) return false;
    best = waitOf(one);
    return true;
  });
}

/** Dollars a day, geometric mean over the patterns. */
export const costOf = ({ measures }: Tried): number => Math.exp(mean(measures.map(({ dollars }) => Math.log(dollars))));

/** Seconds of p95 wait, geometric mean over the patterns, what is free included. */
export const waitOf = ({ measures }: Tried): number =>
  Math.exp(mean(measures.map(({ wait }) => Math.log(freeSeconds + wait.p95)))) - freeSeconds;

function meanMeasures(all: readonly Measures[]): Measures {
  const of = (value: (measures: Measures) => number) => mean(all.map(value));
  return {
    ...{ jobs: of(({ jobs }) => jobs), buried: of(({ buried }) => buried) },
    wait: { p50: of(({ wait }) => wait.p50), p95: of(({ wait }) => wait.p95), p99: of(({ wait }) => wait.p99) },
    turnaround95: of(({ turnaround95 }) => turnaround95),
    ...{ hours: of(({ hours }) => hours), dollars: of(({ dollars }) => dollars) },
  };
}
