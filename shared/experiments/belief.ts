/** What is believed of the arms of an experiment whose shares learn. */
import type { ExperimentRecord } from "../schemas/experiment.ts";
import { armOf } from "../statistics/moments.ts";
import { type Belief, beliefOf, betaPosterior, normalPosterior, type Posterior } from "../statistics/topTwoThompson.ts";
import { type ExperimentReading, sumsByArm } from "./reading.ts";

/** Before so many outcomes in each arm nothing is believed, and shares stay equal. */
const firstOutcomes = 20;

/** The limits of outcomes of an adaptive experiment; undefined of a fixed one. */
export function rangeOf({ method }: ExperimentRecord): readonly [number, number] | undefined {
  return method.type === "adaptive" ? [method.range![0]!, method.range![1]!] : undefined;
}

/** Undefined of a fixed experiment, and before there are outcomes in each arm. */
export function beliefIn(reading: ExperimentReading): Belief | undefined {
  const { experiment, outcomes } = reading;
  const range = rangeOf(experiment);
  if (!range) return undefined;
  const within = outcomes.map((one) => ({ ...one, value: Math.min(range[1], Math.max(range[0], one.value)) }));
  const arms = sumsByArm(experiment.arms.length, within).map(armOf);
  if (arms.some(({ n }) => n < firstOutcomes)) return undefined;
  const isBinary = experiment.metric.type === "boolean" && within.every(({ value }) => value === 0 || value === 1);
  const sign = experiment.metric.optimize === "max" ? 1 : -1;
  const middle = within.reduce((sum, { value }) => sum + value, 0) / within.length;
  const prior = { mean: sign * middle, deviation: (range[1] - range[0]) / 2 };
  const posteriors = arms.map(({ n, mean, variance }): Posterior => {
    if (!isBinary) return normalPosterior({ n, mean: sign * mean, variance }, prior);
    const successes = Math.round(n * mean);
    return sign === 1 ? betaPosterior(successes, n - successes) : betaPosterior(n - successes, successes);
  });
  return beliefOf(posteriors);
}
