/** Top-two Thompson sampling beside an even split, both stopped by the same rule: arms chosen rightly, traffic and time. */
import { armAt } from "../../shared/statistics/assignment.ts";
import { randomOf } from "../../shared/statistics/random.ts";
import {
  type Belief,
  beliefOf,
  betaPosterior,
  topTwoShares,
  verdictOn,
} from "../../shared/statistics/topTwoThompson.ts";
import type { Bench } from "./suite.ts";

interface Arms {
  /** How often each succeeds; the best is the last. */
  rates: number[];
  /** Outcomes after which it ends undecided. */
  most: number;
}

interface Ended {
  arm: number;
  outcomes: number;
  /** Of all outcomes, those of the last arm. */
  toLast: number;
  certain: boolean;
}

const [simulations, batch] = [200, 500];
type Split = (belief: Belief) => number[];
const evenly: Split = ({ best }) => best.map(() => 1 / best.length);
const topTwo: Split = (belief) => topTwoShares(belief, { leastShare: 0.02 });

function experiment({ rates, most }: Arms, seed: number, split: Split): Ended {
  const random = randomOf(seed, 30);
  const counts = rates.map(() => ({ successes: 0, n: 0 }));
  let shares = rates.map(() => 1 / rates.length);
  for (let outcomes = batch; ; outcomes += batch) {
    for (let i = 0; i < batch; i++) {
      const arm = armAt(random.uniform(), shares);
      counts[arm]!.n++;
      if (random.uniform() < rates[arm]!) counts[arm]!.successes++;
    }
    const belief = beliefOf(counts.map(({ successes, n }) => betaPosterior(successes, n - successes)));
    const numbers = counts.map(({ n }) => n);
    const { arm, stop } = verdictOn(belief, numbers, {});
    if (stop || outcomes >= most) return { arm, outcomes, toLast: numbers.at(-1)! / outcomes, certain: stop !== null };
    shares = split(belief);
  }
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (values: boolean[]) => 100 * mean(values.map(Number));

export function adaptive({ emit, tell }: Bench): void {
  const run = (arms: Arms, split: Split) =>
    Array.from({ length: simulations }, (_, i) => experiment(arms, i + 1, split));
  const five = { rates: [0.2, 0.2, 0.2, 0.2, 0.23], most: 40_000 };
  tell(`adaptive: ${simulations} experiments of arms that succeed at ${five.rates.join(", ")}, in batches of ${batch}`);
  const [ours, even] = [run(five, topTwo), run(five, evenly)];
  const [spent, spentEvenly] = [ours, even].map((ended) => mean(ended.map(({ outcomes }) => outcomes))) as [
    number,
    number,
  ];
  tell(`adaptive: ${Math.round(spent)} outcomes on average; evenly split ${Math.round(spentEvenly)}`);
  const figures: Record<string, (ended: Ended[]) => number> = {
    "right-arm": (ended) => percent(ended.map(({ arm }) => arm === five.rates.length - 1)),
    "certain-before-the-end": (ended) => percent(ended.map(({ certain }) => certain)),
    "traffic-to-best": (ended) => 100 * mean(ended.map(({ toLast }) => toLast)),
    "outcomes-spent": (ended) => (100 * mean(ended.map(({ outcomes }) => outcomes))) / spentEvenly,
  };
  for (const [name, figure] of Object.entries(figures)) {
    const beside = { baseline: figure(even), baseline_source: "even split, same rule" };
    emit({ case: `adaptive/${name}`, value: figure(ours), unit: "percent", ...beside });
  }
  const alike = run({ rates: [0.2, 0.2], most: 10_000 }, topTwo);
  emit({
    ...{
      case: "adaptive/two-alike-called-certain",
      value: percent(alike.map(({ certain }) => certain)),
      unit: "percent",
    },
    ...{ baseline: 5, baseline_source: "what a test would; the rule is none" },
  });
}
