/** An experiment's results as clients see them. */
import { type ExperimentRecord, type GuardrailName, guardrailNames } from "../schemas/experiment.ts";
import type { ArmResult, ExperimentResults } from "../schemas/experimentResults.ts";
import { armOf } from "../statistics/moments.ts";
import { beliefIn, rangeOf } from "./belief.ts";
import { alphaOf, compareAdaptive, compareFixed, type Pair } from "./comparison.ts";
import { type ExperimentReading, type Observation, sumsByArm } from "./reading.ts";

/** JSON has no word for the infinite. */
const finite = (value: number) => (Number.isFinite(value) ? value : null);

const mismatched =
  "Sample ratio mismatch: arms did not get their shares of exposures, so something loses units of one of them, and no difference can be trusted.";

export function resultsOf(reading: ExperimentReading): ExperimentResults {
  const { experiment, exposures, sampleRatio, outcomes, isPartial } = reading;
  const { id, status, arms, control: controlName } = experiment;
  const withheld = sampleRatio.mismatch ? mismatched : null;
  const control = arms.findIndex(({ variant }) => variant === controlName);
  const belief = beliefIn(reading);
  const sums = sumsByArm(arms.length, outcomes).map(armOf);
  const told = arms.map(({ variant, share }, arm): ArmResult => {
    const pair = { experiment, arm, control };
    const { n, mean, variance } = sums[arm]!;
    return {
      variant,
      is_control: arm === control,
      share,
      exposures: exposures[arm]!,
      outcomes: n,
      mean: n > 0 ? mean : null,
      deviation: n > 1 ? Math.sqrt(variance) : null,
      effect: arm === control || withheld !== null ? null : effectOf(pair, outcomes),
      guardrails: guardrailNames.map((name) => guardrailOf(pair, name, reading)),
      chance_best: belief?.best[arm] ?? null,
    };
  });
  return {
    object: "experiment.results",
    experiment_id: id,
    status,
    alpha: alphaOf(experiment),
    sample_ratio: { p_value: sampleRatio.pValue, mismatch: sampleRatio.mismatch },
    effects_withheld: withheld,
    arms: told,
    is_partial: isPartial,
  };
}

function effectOf(pair: Pair, outcomes: readonly Observation[]): ArmResult["effect"] {
  const { experiment } = pair;
  const range = rangeOf(experiment);
  const compared = range ? compareAdaptive(pair, outcomes, range) : compareFixed(pair, outcomes);
  const { difference, lower, upper, pValue, varianceReduction } = compared;
  const rises = difference > 0 === (experiment.metric.optimize === "max");
  return {
    difference,
    lower: finite(lower),
    upper: finite(upper),
    p_value: pValue,
    verdict: pValue >= alphaOf(experiment) ? "undecided" : rises ? "better" : "worse",
    variance_reduction: varianceReduction,
  };
}

type GuardrailResult = ArmResult["guardrails"][number];

function guardrailOf(pair: Pair, name: GuardrailName, { guardrails }: ExperimentReading): GuardrailResult {
  const { experiment, arm, control } = pair;
  const observations = guardrails[name];
  const means = sumsByArm(experiment.arms.length, observations).map(armOf);
  const own = means[arm]!;
  const tolerance = experiment.guardrails.find((one) => one.name === name)?.tolerance ?? null;
  const isControl = arm === control;
  const { lower, upper } = isControl ? { lower: 0, upper: 0 } : boundsOf(pair, name, observations);
  const difference = own.mean - means[control]!.mean;
  const verdict = tolerance === null || isControl ? null : verdictOf(lower, upper, tolerance);
  const bounds = { lower: finite(lower), upper: finite(upper) };
  return { name, mean: own.n > 0 ? own.mean : null, difference, ...bounds, tolerance, verdict };
}

/** Of shares that learn, milliseconds have no interval: they have no limits that a bounded sequence could use. */
function boundsOf(pair: Pair, name: GuardrailName, observations: readonly Observation[]) {
  if (pair.experiment.method.type === "fixed") return compareFixed(pair, observations);
  if (name === "latency_ms") return { lower: -Infinity, upper: Infinity };
  return compareAdaptive(pair, observations, [0, 1]);
}

function verdictOf(lower: number, upper: number, tolerance: number): GuardrailResult["verdict"] {
  if (upper <= tolerance) return "kept";
  return lower > tolerance ? "broken" : "undecided";
}

export const breaksGuardrail = ({ arms }: ExperimentResults, { arms: all }: ExperimentRecord, arm: number): boolean =>
  arms.find(({ variant }) => variant === all[arm]!.variant)!.guardrails.some(({ verdict }) => verdict === "broken");
