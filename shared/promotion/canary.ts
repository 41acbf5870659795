/** The gate under way: what a candidate's share of the traffic says of it, looked at as often as one likes. */
import { asymptoticSequence, type Reading } from "../statistics/asymptoticSequence.ts";
import type { Arm } from "../statistics/moments.ts";
import { sampleRatio } from "../statistics/sampleRatio.ts";

export interface CanaryStep {
  /** Of the traffic, the candidate's. */
  share: number;
  /** Outcomes of both arms after which the step is over. */
  outcomes: number;
}

export interface CanaryRules {
  /** One after the other, each read by itself, as a sequence is of shares that stay. */
  steps: readonly CanaryStep[];
  /** Over all looks and steps: the chance to roll back a candidate that is as good. */
  canary_alpha: number;
}

export const usualCanaryRules: CanaryRules = {
  steps: [
    { share: 0.1, outcomes: 2_000 },
    { share: 0.5, outcomes: 2_000 },
  ],
  canary_alpha: 0.05,
};

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
  /** Of which more is worse, by name: share of errors or refusals, milliseconds. */
  guardrails: Record<string, ArmPair>;
  /** Units exposed: candidate, incumbent. */
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

/** Exposures that are off by less than this chance allows are no canary's to read. */
const ratioLevel = 0.001;

/**
 * Harm that is proven rolls back at once; no harm by the end of a step leads on. The offline gate has asked whether the candidate is as
 * good: here only what it could not see is sought, so that a canary needs days of traffic and not months.
 */
export function judgeCanary(seen: CanarySeen, step: number, { steps, canary_alpha }: CanaryRules): CanaryVerdict {
  const { share, outcomes: wanted } = steps[step]!;
  const read = ({ candidate, incumbent }: ArmPair, tests: number) =>
    asymptoticSequence(candidate, incumbent, { alpha: canary_alpha / steps.length / tests, horizon: wanted });
  // Half of alpha is the metric's, half the guardrails'.
  const metric = read(seen.outcomes, 2);
  const names = Object.keys(seen.guardrails);
  const guardrails = Object.fromEntries(
    names.map((name) => [name, read(seen.guardrails[name]!, 2 * names.length)] as const),
  );
  const ratioPValue = sampleRatio(seen.exposures, [share, 1 - share]).sequentialPValue;
  const told = { metric, guardrails, ratioPValue };
  if (ratioPValue < ratioLevel) return { decision: "hold", reason: "exposures_off", ...told };
  const isWorse = seen.increaseIsGood ? metric.upper < 0 : metric.lower > 0;
  if (isWorse) return { decision: "roll_back", reason: "metric_worse", ...told };
  if (names.some((name) => guardrails[name]!.lower > 0)) {
    return { decision: "roll_back", reason: "guardrail_worse", ...told };
  }
  const { candidate, incumbent } = seen.outcomes;
  if (candidate.n + incumbent.n < wanted) return { decision: "wait", reason: "too_few_outcomes", ...told };
  return { decision: step + 1 < steps.length ? "next_step" : "promote", reason: "no_harm_found", ...told };
}
