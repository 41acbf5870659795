/** The gate under way: what a candidate's share of the traffic says of it, looked at as often as one likes. */
import { asymptoticSequence, type Reading } from "../statistics/asymptoticSequence.ts";
import type { Arm } from "../statistics/moments.ts";
import { sampleRatio } from "../statistics/sampleRatio.ts";

export interface CanaryRules {
  /** The candidate's shares of the traffic, one after the other; as much again is compared with it. */
  shares: readonly number[];
  /** Judged answers of both, after which a share is done. */
  outcomes: number;
}

export const usualCanaryRules: CanaryRules = { shares: [0.1, 0.5], outcomes: 2000 };

/** Over all looks and shares: the chance to roll back a candidate that is as good. */
const alpha = 0.05;

/** Candidate and incumbent in one figure. */
export interface ArmPair {
  candidate: Arm;
  incumbent: Arm;
}

export interface CanarySeen {
  /** The metric, by which more outcomes are waited for. */
  outcomes: ArmPair;
  /** More is better. */
  increaseIsGood: boolean;
  /** Of which more is worse, by name, such as the share of errors; and how much more is no harm. */
  guardrails: Record<string, ArmPair & { tolerance: number }>;
  /** Units exposed: candidate, incumbent. Both are to be as many. */
  exposures: readonly [number, number];
}

export type CanaryDecision = "wait" | "next_step" | "promote" | "roll_back" | "hold";

export interface CanaryVerdict {
  decision: CanaryDecision;
  reason: "too_few_outcomes" | "no_harm_found" | "metric_worse" | "guardrail_worse" | "exposures_off";
  metric: Reading;
  guardrails: Record<string, Reading>;
  /** Sequential: looks without end. */
  ratioPValue: number;
}

/** Half of alpha is the metric's, half the guardrails'. */
const tests = 2;

/** Exposures that are off by less than this chance allows are no canary's to read. */
const ratioLevel = 0.001;

/**
 * Harm that is proven rolls back at once; no harm by the end of a share leads on. Units within keep their arms as shares grow, so all are read together. The offline gate has asked whether the candidate is as
 * good: here only what it could not see is sought, so that a canary needs days of traffic and not months.
 */
export function judgeCanary(seen: CanarySeen, step: number, { shares, outcomes: each }: CanaryRules): CanaryVerdict {
  const read = ({ candidate, incumbent }: ArmPair, of: number) =>
    asymptoticSequence(candidate, incumbent, { alpha: alpha / of, horizon: shares.length * each });
  const metric = read(seen.outcomes, tests);
  const guarded = Object.entries(seen.guardrails);
  const guardrails = Object.fromEntries(guarded.map(([name, pair]) => [name, read(pair, tests * guarded.length)]));
  const ratioPValue = sampleRatio(seen.exposures, [0.5, 0.5]).sequentialPValue;
  const told = { metric, guardrails, ratioPValue };
  if (ratioPValue < ratioLevel) return { decision: "hold", reason: "exposures_off", ...told };
  const isWorse = seen.increaseIsGood ? metric.upper < 0 : metric.lower > 0;
  if (isWorse) return { decision: "roll_back", reason: "metric_worse", ...told };
  if (guarded.some(([name, { tolerance }]) => guardrails[name]!.lower > tolerance)) {
    return { decision: "roll_back", reason: "guardrail_worse", ...told };
  }
  const { candidate, incumbent } = seen.outcomes;
  if (candidate.n + incumbent.n < each * (step + 1)) return { decision: "wait", reason: "too_few_outcomes", ...told };
  return { decision: step + 1 < shares.length ? "next_step" : "promote", reason: "no_harm_found", ...told };
}
