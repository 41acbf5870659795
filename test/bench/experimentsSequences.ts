/** Experiments of two arms, looked at after each outcome: how often they find what is not there, and how soon what is. */
import { asymptoticSequence, type SequenceOptions } from "../../shared/statistics/asymptoticSequence.ts";
import { addBounded, readBounded, startBounded } from "../../shared/statistics/boundedSequence.ts";
import { normalQuantile } from "../../shared/statistics/distributions.ts";
import { type Arm, addOutcome, armOf, noSums } from "../../shared/statistics/moments.ts";
import { plannedHorizon, sampleSizeForMeans, sampleSizeForProportions } from "../../shared/statistics/power.ts";
import { randomOf } from "../../shared/statistics/random.ts";
import type { Bench } from "./suite.ts";

interface World {
  name: string;
  /** The treatment's share of outcomes. */
  share: number;
  /** Of an arm whose mean is more by an effect, or by 0. */
  outcomeOf: (uniform: number, effect: number) => number;
  /** Booleans alone have limits that the bounded sequence needs. */
  isBoolean: boolean;
  horizon: number;
  /** What is to be found, and by how many outcomes a two-sided test of one look finds it in 80 of 100 experiments. */
  sought?: { effect: number; fixed: number };
}

const booleans = (rate: number) => (uniform: number, effect: number) => (uniform < rate + effect ? 1 : 0);

/** Of a lognormal outcome whose logarithm has variance 1: a skew of 6.2, as times have. */
const deviation = Math.sqrt((Math.E - 1) * Math.E);
const lognormal = (uniform: number, effect: number) => Math.exp(normalQuantile(Math.max(uniform, 2 ** -33))) + effect;

const [fixedBoolean, fixedFloat] = [
  2 * sampleSizeForProportions(0.25, 0.2),
  2 * sampleSizeForMeans(0.12 * deviation, deviation),
];
const worlds: World[] = [
  {
    ...{
      name: "boolean",
      share: 0.5,
      outcomeOf: booleans(0.2),
      isBoolean: true,
      horizon: plannedHorizon(fixedBoolean),
    },
    sought: { effect: 0.05, fixed: fixedBoolean },
  },
  {
    ...{ name: "float", share: 0.5, outcomeOf: lognormal, isBoolean: false, horizon: plannedHorizon(fixedFloat) },
    sought: { effect: 0.12 * deviation, fixed: fixedFloat },
  },
  { name: "canary", share: 0.1, outcomeOf: booleans(0.05), isBoolean: true, horizon: 2500 },
];

/** Whether a difference is found at this look, by what was counted so far. */
type Look = (treatment: Arm, control: Arm, outcome: { outcome: number; treated: boolean }) => boolean;

const alpha = 0.05;
const methods: Record<string, (world: World) => Look> = {
  planned: ({ horizon }) => sumsLook({ horizon, alpha, boundary: "planned" }),
  open: ({ horizon }) => sumsLook({ horizon, alpha, boundary: "open" }),
  bounded: boundedLook,
  "peeked-t-test": () => naiveLook,
};

const sumsLook =
  (options: SequenceOptions): Look =>
  (treatment, control) =>
    asymptoticSequence(treatment, control, options).pValue < alpha;

function boundedLook({ horizon, share }: World): Look {
  const state = startBounded();
  const options = { horizon, alpha, leastPropensity: Math.min(share, 1 - share) };
  return (_a, _b, { outcome, treated }) => {
    addBounded(state, { outcome, treated, propensity: share }, options);
    return readBounded(state, options).pValue < alpha;
  };
}

const critical = -normalQuantile(alpha / 2);
function naiveLook(a: Arm, b: Arm): boolean {
  const error = Math.sqrt(a.variance / a.n + b.variance / b.n);
  return Math.min(a.n, b.n) >= 20 && error > 0 && Math.abs(a.mean - b.mean) / error > critical;
}

/** By method: after how many outcomes it found a difference, looking after each; Infinity: never. */
function experiment(world: World, effect: number, outcomes: number, seed: number): Record<string, number> {
  const random = randomOf(seed, 11);
  const looks = Object.entries(methods)
    .filter(([name]) => world.isBoolean || name !== "bounded")
    .map(([name, start]) => ({ name, look: start(world), at: Number.POSITIVE_INFINITY }));
  const sums = [noSums(), noSums()] as const;
  for (let n = 1; n <= outcomes; n++) {
    const treated = random.uniform() < world.share;
    const outcome = world.outcomeOf(random.uniform(), treated ? effect : 0);
    addOutcome(sums[treated ? 1 : 0], outcome);
    const [control, treatment] = [armOf(sums[0]), armOf(sums[1])];
    for (const one of looks) {
      if (one.at === Infinity && one.look(treatment, control, { outcome, treated })) one.at = n;
    }
  }
  return Object.fromEntries(looks.map(({ name, at }) => [name, at]));
}

function repeated(world: World, effect: number, outcomes: number, runs: number): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (let run = 1; run <= runs; run++) {
    for (const [name, at] of Object.entries(experiment(world, effect, outcomes, run))) {
      if (!found.has(name)) found.set(name, []);
      found.get(name)!.push(at);
    }
  }
  return found;
}

export function sequences({ emit, tell }: Bench): void {
  for (const world of worlds) {
    const [runs, outcomes] = [5000, Math.round(2 * world.horizon)];
    tell(`${world.name}: ${runs} experiments without a difference, ${outcomes} outcomes, a look after each`);
    for (const [method, ends] of repeated(world, 0, outcomes, runs)) {
      const value = (100 * ends.filter(Number.isFinite).length) / runs;
      const name = `sequences/${world.name}/${method}/false-alarms`;
      emit({ case: name, value, unit: "percent", baseline: 100 * alpha, baseline_source: "bar: at most" });
    }
    if (world.sought) power(world, world.sought, { emit, tell });
  }
}

/** Outcomes in percent of those that a test of one look needs. */
function power(world: World, { effect, fixed }: NonNullable<World["sought"]>, { emit, tell }: Bench): void {
  const [runs, outcomes] = [2000, Math.round(3 * fixed)];
  tell(`${world.name}: ${runs} experiments with a difference for which one look needs ${Math.round(fixed)} outcomes`);
  for (const [method, ends] of repeated(world, effect, outcomes, runs)) {
    if (method === "peeked-t-test") continue;
    const needed = ends.toSorted((a, b) => a - b)[Math.ceil(0.8 * runs) - 1]!;
    const spent = ends.reduce((sum, at) => sum + Math.min(at, needed), 0) / runs;
    const name = `sequences/${world.name}/${method}`;
    const beside = { unit: "percent", baseline: 125 } as const;
    emit({
      ...{ case: `${name}/outcomes-for-80%-power`, value: (100 * needed) / fixed, ...beside },
      baseline_source: "bar: at most, of a test of one look",
    });
    emit({
      ...{ case: `${name}/outcomes-spent-on-average`, value: (100 * spent) / fixed, ...beside },
      baseline_source: "bar: at most, of a test of one look; stopped where found",
    });
  }
}
