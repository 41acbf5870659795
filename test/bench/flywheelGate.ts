/** How often the gate promotes candidates whose truth is known: seeded simulations of test set, feedback and canary. */
import { judgeCanary, usualCanaryRules } from "../../shared/promotion/canary.ts";
import { type Agreement, judgeData, usualDataRules } from "../../shared/promotion/dataGate.ts";
import { type JudgedAnswer, labelledItems } from "../../shared/promotion/feedbackItems.ts";
import { judgeOffline, usualOfflineRules } from "../../shared/promotion/offlineGate.ts";
import type { PairedItem } from "../../shared/promotion/paired.ts";
import { addOutcome, armOf, noSums, type Sums } from "../../shared/statistics/moments.ts";
import { type Random, randomOf } from "../../shared/statistics/random.ts";
import type { Bench } from "./suite.ts";

/** Items, and how users are: what the policy's usual rules were chosen for. */
export interface World {
  accuracy: number;
  /** Share of items on which just one of two models is right. */
  discordant: number;
  classes: number;
  /** Rows set aside, and judged answers of late that no model learned from. */
  frozen: number;
  judged: number;
  /** Share of users who say the opposite of what they think. */
  noise: number;
  /** Share of rejected answers that come with the right one. */
  corrected: number;
}

export const usualWorld: World = {
  ...{ accuracy: 0.85, discordant: 0.1, classes: 20 },
  ...{ frozen: 1500, judged: 400, noise: 0.05, corrected: 0.3 },
};

const simulations = 200;

export function gate({ emit, tell, seeds = 1 }: Bench): void {
  const runs = Math.round(simulations * seeds);
  tell(`gate: ${runs} simulated candidates each; ${JSON.stringify(usualWorld)}`);
  const shareOf = (happens: (run: number) => boolean) => {
    const times = Array.from({ length: runs }, (_, run) => happens(run)).filter(Boolean).length;
    return { value: (100 * times) / runs, unit: "percent" } as const;
  };
  const worse = { baseline: 5, baseline_source: "bar, at most" };
  const better = { baseline: 80, baseline_source: "bar, at least" };
  for (const [points, bar] of [
    [-5, worse],
    [-2, worse],
    [-1, worse],
    [-0.5, worse],
    [0, { baseline: null, baseline_source: "no bar" }],
    [1, { baseline: null, baseline_source: "no bar" }],
    [2, better],
  ] as const) {
    const outcomes = Array.from({ length: runs }, (_, run) => promotion(points / 100, usualWorld, run + 1));
    const share = (of: keyof Promotion) => shareOf((run) => outcomes[run]![of]);
    const name = `gate/${points < 0 ? `worse-by-${-points}` : points === 0 ? "alike" : `better-by-${points}`}`;
    emit({ case: `${name}/offline`, ...share("offline"), baseline: null, baseline_source: "without the canary" });
    emit({ case: `${name}/promoted`, ...share("promoted"), ...bar });
  }
  for (const flipped of [0, 0.05, 0.3]) {
    const bar = flipped === 0 ? { baseline: 1, baseline_source: "its level, at most" } : { baseline: null };
    const stopped = shareOf((run) => !dataPasses(flipped, 300, run + 1));
    emit({ case: `data/flipped-${flipped}-stopped`, ...stopped, baseline_source: "batches of 300 labels", ...bar });
  }
}

export interface Promotion {
  offline: boolean;
  promoted: boolean;
}

/** One candidate, `better` by so much (such as 0.02), through both gates. */
export function promotion(better: number, world: World, seed: number): Promotion {
  const random = randomOf(seed, Math.round(1000 * (better + 1)));
  const item = () => drawItem(better, world, random);
  const frozen = Array.from({ length: world.frozen }, item);
  const served = Array.from({ length: world.judged }, item);
  const recent = labelledItems(served.map((one) => judge(one, world, random))).map(({ index, label, weight }) => ({
    ...served[index]!,
    label,
    weight,
  }));
  const offline = judgeOffline(frozen, recent, usualOfflineRules).passed;
  return { offline, promoted: offline && survivesCanary(better, world, random) };
}

/** Classes are labelled by number; a wrong answer is the next class or the one after. */
function drawItem(better: number, { accuracy, discordant, classes }: World, random: Random): PairedItem {
  const label = random.below(classes);
  const wrong = () => String((label + 1 + random.below(2)) % classes);
  const at = random.uniform();
  const onlyIncumbent = (discordant - better) / 2;
  const onlyCandidate = (discordant + better) / 2;
  const isIncumbentRight = at < accuracy;
  const isCandidateRight = at < accuracy ? at >= onlyIncumbent : at < accuracy + onlyCandidate;
  return {
    label: String(label),
    candidate: isCandidateRight ? String(label) : wrong(),
    incumbent: isIncumbentRight ? String(label) : wrong(),
  };
}

function judge({ label, incumbent }: PairedItem, { noise, corrected }: World, random: Random): JudgedAnswer {
  const accepted = (label === incumbent) !== random.uniform() < noise;
  return !accepted && random.uniform() < corrected
    ? { answer: incumbent, accepted, correction: label }
    : { answer: incumbent, accepted };
}

/** Users accept what is right, but for their noise; looked at after every hundred. */
function survivesCanary(better: number, { accuracy, noise }: World, random: Random): boolean {
  const accepts = (rate: number) => rate * (1 - 2 * noise) + noise;
  const sums = { candidate: noSums(), incumbent: noSums() };
  for (let step = 0; ; ) {
    for (let i = 0; i < 100; i++) {
      const isCandidate = random.uniform() < 0.5;
      const rate = accepts(isCandidate ? accuracy + better : accuracy);
      addOutcome(isCandidate ? sums.candidate : sums.incumbent, random.uniform() < rate ? 1 : 0);
    }
    const decision = look(sums, step);
    if (decision === "next_step") step++;
    else if (decision !== "wait") return decision === "promote";
  }
}

function look({ candidate, incumbent }: { candidate: Sums; incumbent: Sums }, step: number) {
  const seen = {
    outcomes: { candidate: armOf(candidate), incumbent: armOf(incumbent) },
    ...{ increaseIsGood: true, guardrails: {}, exposures: [candidate.n, incumbent.n] as const },
  };
  return judgeCanary(seen, step, usualCanaryRules).decision;
}

/** A batch of labels of which a share says another class, beside 500 earlier ones, against an incumbent's answers. */
function dataPasses(flipped: number, labels: number, seed: number): boolean {
  const random = randomOf(seed, 7);
  const { accuracy } = usualWorld;
  const agreement = (items: number, share: number): Agreement => {
    const agrees = () => random.uniform() < accuracy && random.uniform() >= share;
    return { items, agreeing: Array.from({ length: items }, agrees).filter(Boolean).length };
  };
  return judgeData(agreement(500, 0), agreement(labels, flipped), usualDataRules).passed;
}
