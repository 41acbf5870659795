/** Results tell a difference that is there, none that is not, and nothing at all where arms did not get their shares. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExperimentReading, Observation } from "../../../shared/experiments/reading.ts";
import { resultsOf } from "../../../shared/experiments/results.ts";
import type { ExperimentRecord } from "../../../shared/schemas/experiment.ts";
import { sampleRatio } from "../../../shared/statistics/sampleRatio.ts";
import { adaptiveMethod, drawn, experimentOf, observations } from "../../support/experiments.ts";

function readingOf(
  experiment: ExperimentRecord,
  outcomes: Observation[],
  guardrails: Partial<ExperimentReading["guardrails"]> = {},
  exposures = experiment.arms.map((_, arm) => outcomes.filter((one) => one.arm === arm).length),
): ExperimentReading {
  const ratio = sampleRatio(exposures, experiment.stages[0]!);
  const none = { latency_ms: [], errors: [], refusals: [] };
  const said = { ...none, ...guardrails };
  return { experiment, exposures, sampleRatio: ratio, outcomes, guardrails: said, isPartial: false };
}

/** Of the second arm. */
const effectOf = (reading: ExperimentReading) => resultsOf(reading).arms[1]!.effect!;
const rates = (...of: number[]) => {
  return (arm: number, i: number) => Number(drawn("outcome", i) < of[arm]!);
};

test("two arms alike differ at no look of two hundred, and two that differ are told apart for good", () => {
  const experiment = experimentOf();
  const [same, other] = [observations(2000, rates(0.5, 0.5)), observations(2000, rates(0.5, 0.6))];
  for (let seen = 10; seen <= 2000; seen += 10) {
    assert.equal(effectOf(readingOf(experiment, same.slice(0, seen))).verdict, "undecided", `after ${seen}`);
  }
  const effect = effectOf(readingOf(experiment, other));
  assert.equal(effect.verdict, "better");
  assert.ok(effect.lower! > 0 && effect.upper! > 0.1 && effect.lower! < 0.1, JSON.stringify(effect));
  assert.ok(effect.p_value < 0.05);
});

test("of a metric to be minimized, less is better", () => {
  const metric = { name: "edits", type: "float" as const, level: "inference" as const, optimize: "min" as const };
  const values = (arm: number, i: number) => 10 + drawn("noise", i) - arm;
  assert.equal(effectOf(readingOf(experimentOf({ metric }), observations(1000, values))).verdict, "better");
});

test("before there is enough to tell, an interval has no ends, which JSON spells null", () => {
  const { lower, upper, verdict } = effectOf(readingOf(experimentOf(), observations(50, rates(0, 1))));
  assert.deepEqual([lower, upper, verdict], [null, null, "undecided"]);
});

test("arms that did not get their shares are told, and no effect of theirs is", () => {
  const outcomes = observations(2000, rates(0.5, 0.9));
  const told = resultsOf(readingOf(experimentOf(), outcomes, {}, [5200, 4800]));
  assert.equal(told.sample_ratio.mismatch, true);
  assert.match(told.effects_withheld!, /mismatch/);
  assert.ok(told.arms.every(({ effect }) => effect === null));
  assert.equal(resultsOf(readingOf(experimentOf(), outcomes, {}, [5050, 4950])).sample_ratio.mismatch, false);
});

test("what was known of units before makes an interval narrower, and says by how much", () => {
  const base = (i: number) => drawn("base", i);
  const values = (arm: number, i: number) => base(i) + 0.1 * drawn("noise", i) + 0.05 * arm;
  const metric = { name: "score", type: "float" as const, level: "inference" as const, optimize: "max" as const };
  const experiment = experimentOf({ metric });
  const plain = effectOf(readingOf(experiment, observations(600, values)));
  const known = effectOf(readingOf(experiment, observations(600, values, { before: base })));
  const half = effectOf(
    readingOf(experiment, observations(600, values, { before: (i) => (i % 4 < 2 ? base(i) : undefined) })),
  );
  const width = ({ lower, upper }: typeof plain) => upper! - lower!;
  assert.equal(plain.variance_reduction, 0);
  assert.ok(known.variance_reduction > 0.9, String(known.variance_reduction));
  assert.ok(width(known) < 0.4 * width(plain) && width(half) < width(plain));
  assert.deepEqual([plain.verdict, known.verdict], ["undecided", "better"]);
});

test("several arms share the chance of an error among them", () => {
  const arms = ["old", "new", "newer"].map((variant) => ({ variant, share: 1 / 3 }));
  const reading = readingOf(experimentOf({ arms }), observations(3000, rates(0.5, 0.5, 0.65), { arms: 3 }));
  const { alpha, arms: told } = resultsOf(reading);
  assert.equal(alpha, 0.025);
  assert.deepEqual(
    told.map(({ effect }) => effect?.verdict),
    [undefined, "undecided", "better"],
  );
});

test("guardrails are kept, broken or undecided by their tolerance", () => {
  const guardrails = [
    { name: "latency_ms" as const, tolerance: 20 },
    { name: "errors" as const, tolerance: 0.02 },
    { name: "refusals" as const, tolerance: 0.1 },
  ];
  const outcomes = observations(2000, rates(0.5, 0.5));
  const seen = {
    latency_ms: observations(2000, (arm, i) => 100 + 10 * drawn("ms", i) + 5 * arm),
    errors: observations(2000, rates(0.01, 0.2)),
    refusals: observations(400, rates(0.1, 0.12)),
  };
  const [control, arm] = resultsOf(readingOf(experimentOf({ guardrails }), outcomes, seen)).arms;
  assert.deepEqual(
    arm!.guardrails.map(({ name, verdict }) => [name, verdict]),
    [
      ["latency_ms", "kept"],
      ["errors", "broken"],
      ["refusals", "undecided"],
    ],
  );
  assert.ok(control!.guardrails.every(({ verdict, difference }) => verdict === null && difference === 0));
});

test("shares that learn are read by the chance that each unit had", () => {
  const stages = [
    [0.5, 0.5],
    [0.2, 0.8],
  ];
  const experiment = experimentOf({ method: adaptiveMethod, stages });
  // The later stage is the luckier time: means of arms would take that for the arm's doing.
  const units = (rate: (arm: number, stage: number) => number): Observation[] =>
    Array.from({ length: 4000 }, (_, i) => {
      const stage = Number(i >= 2000);
      const arm = Number(drawn("arm", i) >= stages[stage]![0]!);
      const value = Number(drawn("luck", i) < rate(arm, stage));
      return { arm, stage, value, at: i, unit: String(i).padStart(8, "0") };
    });
  const even = units((_, stage) => (stage ? 0.8 : 0.3));
  const ratio = { statistic: 0, pValue: 1, sequentialPValue: 1, mismatch: false };
  const read = (outcomes: Observation[]) => resultsOf({ ...readingOf(experiment, outcomes), sampleRatio: ratio });
  const told = read(even);
  assert.ok(told.arms[1]!.mean! - told.arms[0]!.mean! > 0.1, "the means of arms differ");
  assert.equal(told.arms[1]!.effect!.verdict, "undecided");
  const better = read(units((arm) => 0.3 + 0.3 * arm)).arms[1]!;
  assert.equal(better.effect!.verdict, "better");
  assert.ok(better.chance_best! > 0.99);
});
