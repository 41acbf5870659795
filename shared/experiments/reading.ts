/** What is known of an experiment's arms: everything is computed from rows, so that late and corrected feedback counts. */
import type { ExperimentRecord, GuardrailName } from "../schemas/experiment.ts";
import type { ExposureRecord } from "../schemas/exposure.ts";
import { addOutcome, noSums, type Sums } from "../statistics/moments.ts";
import { type SampleRatio, sampleRatio } from "../statistics/sampleRatio.ts";
import { mostRows, type Needs, readOutcomes } from "./outcomes.ts";

/** An exposed unit whose outcome is known, or a figure of the call that exposed it. */
export interface Observation {
  arm: number;
  /** By whose shares it was assigned. */
  stage: number;
  value: number;
  /** What was known of the unit before; undefined: nothing. */
  before?: number | undefined;
  /** Unix time in seconds. */
  at: number;
  unit: string;
}

export interface ExperimentReading {
  experiment: ExperimentRecord;
  /** By arm: units exposed. */
  exposures: number[];
  sampleRatio: SampleRatio;
  /** In the order in which feedback came. */
  outcomes: Observation[];
  /** Of the calls that exposed units, in their order. */
  guardrails: Record<GuardrailName, Observation[]>;
  isPartial: boolean;
}

export async function readExperiment(stores: Needs, experiment: ExperimentRecord): Promise<ExperimentReading> {
  const [exposed, said] = await Promise.all([readExposures(stores, experiment), readOutcomes(stores, experiment)]);
  const outcomes = exposed.flatMap((exposure) => {
    const mean = said.after.get(exposure.unit);
    if (!mean) return [];
    const earlier = exposure.unit_kind === "person" ? said.before.get(exposure.unit) : undefined;
    const before = earlier && earlier.sum / earlier.n;
    return [{ ...observed(exposure, mean.sum / mean.n), before, at: mean.at }];
  });
  const exposures = experiment.arms.map((_, i) => exposed.filter(({ arm }) => arm === i).length);
  return {
    experiment,
    exposures,
    sampleRatio: sampleRatio(exposures, expectedShares(experiment, exposed)),
    outcomes: inOrder(outcomes),
    guardrails: {
      latency_ms: inOrder(exposed.flatMap((one) => (one.latency_ms === null ? [] : [observed(one, one.latency_ms)]))),
      errors: inOrder(exposed.map((one) => observed(one, Number(one.is_error)))),
      refusals: inOrder(exposed.flatMap((one) => (one.is_error ? [] : [observed(one, Number(one.is_refusal))]))),
    },
    isPartial: said.isPartial || exposed.length === mostRows,
  };
}

async function readExposures({ exposures }: Needs, { project_id, id }: ExperimentRecord): Promise<ExposureRecord[]> {
  const read: ExposureRecord[] = [];
  for await (const exposure of exposures.stream(project_id, id)) if (read.push(exposure) === mostRows) break;
  return read;
}

function observed({ arm, stage, unit, created_at }: ExposureRecord, value: number): Observation {
  return { arm, stage, value, at: created_at, unit };
}

/** Seconds are coarse: units of one second are in the order of their digests, which nothing depends on. */
const inOrder = (all: Observation[]) => all.sort((a, b) => a.at - b.at || (a.unit < b.unit ? -1 : 1));

/** Of shares that changed, their mean over those whom they assigned. */
function expectedShares({ stages, arms }: ExperimentRecord, exposed: readonly ExposureRecord[]): number[] {
  if (exposed.length === 0) return stages.at(-1)!;
  const sums = arms.map((_, arm) => exposed.reduce((sum, { stage }) => sum + stages[stage]![arm]!, 0));
  const all = sums.reduce((sum, part) => sum + part, 0);
  return sums.map((sum) => sum / all);
}

/** Of units without a word from before, the covariate is the mean of the others'. */
export function sumsByArm(arms: number, observations: readonly Observation[]): Sums[] {
  const known = observations.flatMap(({ before }) => before ?? []);
  const mean = known.reduce((sum, x) => sum + x, 0) / Math.max(1, known.length);
  const sums = Array.from({ length: arms }, noSums);
  for (const { arm, value, before = mean } of observations) addOutcome(sums[arm]!, value, before);
  return sums;
}
