/** The last step of a turn: an experiment on the function's own traffic, watched until it is known to do no harm, or to do some. */
import {
  createExperimentChanger,
  type Ending,
  type ExperimentChanger,
} from "../../../shared/experiments/experimentChanges.ts";
import { createFunctionChanger } from "../../../shared/experiments/functionChanges.ts";
import {
  type ExperimentReading,
  type Observation,
  readExperiment,
  sumsByArm,
} from "../../../shared/experiments/reading.ts";
import { type CanaryDecision, type CanaryVerdict, judgeCanary } from "../../../shared/promotion/canary.ts";
import { withCandidate } from "../../../shared/promotion/crown.ts";
import type { ExperimentRecord } from "../../../shared/schemas/experiment.ts";
import type { PromotionRecord } from "../../../shared/schemas/promotion.ts";
import { armOf } from "../../../shared/statistics/moments.ts";
import { lookAgain } from "./collect.ts";
import { patience } from "./judge.ts";
import type { Attempt, Next } from "./task.ts";

interface Canary {
  attempt: Attempt;
  experiments: ExperimentChanger;
  experiment: ExperimentRecord;
}

export async function canary(attempt: Attempt): Promise<Next> {
  const { context, promotion } = attempt;
  const functions = createFunctionChanger(context.stores.functions, context.inference.models);
  const experiments = createExperimentChanger(context.stores, functions);
  const owner = { id: promotion.project_id };
  const called = await functions.require(owner, promotion.function);
  if (promotion.experiment_id === null) {
    const earlier = called.experiment_id === null ? undefined : await experiments.require(owner, called.experiment_id);
    // Somebody else's: one at a time.
    if (earlier && earlier.created_by !== promotion.id) return { wait: patience };
    await functions.change(owner, called.name, (record) => {
      const isThere = record.variants.some(({ name }) => name === promotion.candidate);
      return isThere ? {} : { variants: withCandidate(record, promotion) };
    });
    const begun = earlier ?? (await experiments.begin(owner, promotion.id, requestOf(promotion)));
    return { wait: lookAgain, changes: { experiment_id: begun.id } };
  }
  const experiment = await experiments.require(owner, promotion.experiment_id);
  if (experiment.status === "ended") return ended(promotion, experiment);
  return await follow({ attempt, experiments, experiment });
}

/** Candidate and incumbent get as much each; the rest of the traffic is the incumbent's and is not compared. */
const enrolledFor = (share: number) => Math.min(1, 2 * share);

function requestOf({ policy, incumbent, candidate, function: name, turn }: PromotionRecord) {
  const { shares, outcomes } = policy.canary!;
  return {
    function: name,
    description: `Canary of turn ${turn}`,
    method: { type: "fixed" as const },
    metric_name: policy.metric_name!,
    arms: [{ variant: incumbent }, { variant: candidate }],
    enrolled_share: enrolledFor(shares[0]!),
    horizon: Math.max(200, shares.length * outcomes),
  };
}

/** It was ended by this turn, before a worker died over telling so, or by a human. */
function ended({ candidate }: PromotionRecord, { winner, end_reason }: ExperimentRecord): Next {
  const reason = end_reason ?? "Somebody ended the canary.";
  return { to: winner === candidate ? "promoted" : "rolled_back", reason };
}

async function follow({ attempt, experiments, experiment }: Canary): Promise<Next> {
  const { context, promotion } = attempt;
  const owner = { id: promotion.project_id };
  const rules = promotion.policy.canary!;
  const step = Math.max(
    0,
    rules.shares.findLastIndex((share) => enrolledFor(share) <= experiment.enrolled_share + 1e-9),
  );
  const reading = await readExperiment(context.stores, experiment);
  const verdict = judgeCanary(seenIn(reading), step, rules);
  const changes = { canary: figuresOf(reading, verdict, rules.shares[step]!) };
  const reason = reasonOf(verdict, changes.canary);
  const end = async (ending: Pick<Ending, "winner" | "isPromoted">): Promise<Next> => {
    const over = await experiments.end(owner, experiment.id, { ...ending, by: promotion.id, reason });
    return { ...ended(promotion, over), changes } as Next;
  };
  const held: Next = { to: "held", reason, changes };
  const decide: Record<CanaryDecision, () => Promise<Next>> = {
    promote: () => end({ winner: promotion.candidate, isPromoted: true }),
    roll_back: () => end({ winner: null, isPromoted: false }),
    next_step: async () => {
      await experiments.ramp(owner, experiment.id, enrolledFor(rules.shares[step + 1]!));
      return { wait: lookAgain, changes };
    },
    hold: async () => {
      await experiments.pause(owner, experiment.id);
      return held;
    },
    wait: async () => {
      const isLate = Date.now() / 1000 - experiment.created_at > rules.patience_seconds;
      return isLate ? held : { wait: lookAgain, changes };
    },
  };
  return decide[verdict.decision]();
}

/** Shares of calls that are no harm. */
const tolerances = { errors: 0.01, refusals: 0.02 } as const;

function seenIn({ experiment, outcomes, guardrails, exposures }: ExperimentReading) {
  // The incumbent is the first arm, see `requestOf`.
  const pair = (observations: readonly Observation[]) => {
    const [incumbent, candidate] = sumsByArm(2, observations).map(armOf);
    return { candidate: candidate!, incumbent: incumbent! };
  };
  return {
    outcomes: pair(outcomes),
    increaseIsGood: experiment.metric.optimize === "max",
    guardrails: {
      errors: { ...pair(guardrails.errors), tolerance: tolerances.errors },
      refusals: { ...pair(guardrails.refusals), tolerance: tolerances.refusals },
    },
    exposures: [exposures[1]!, exposures[0]!] as const,
  };
}

type Figures = NonNullable<PromotionRecord["canary"]>;

/** JSON has no word for the infinite. */
const finite = (value: number) => (Number.isFinite(value) ? value : null);

function figuresOf({ outcomes }: ExperimentReading, { metric, decision }: CanaryVerdict, share: number): Figures {
  const { difference, lower, upper } = metric;
  return { share, outcomes: outcomes.length, difference, lower: finite(lower), upper: finite(upper), decision };
}

const reasons: Record<CanaryVerdict["reason"], string> = {
  too_few_outcomes: "Too few answers were judged in time: a human is to decide.",
  no_harm_found: "Users say that it does no harm.",
  metric_worse: "Users say that it is worse.",
  guardrail_worse: "It errs or refuses more often.",
  exposures_off:
    "Candidate and incumbent did not get their shares of the traffic: something loses calls of one of them.",
};

function reasonOf({ reason }: CanaryVerdict, { outcomes, difference }: Figures): string {
  return `${reasons[reason]} After ${outcomes} judged answers the difference is ${(100 * difference).toFixed(1)} points.`;
}
