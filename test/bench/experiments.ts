/** How often statistics of experiments are wrong, and what they need to be right: seeded simulations beside their bars. */
import { normalCdf, normalQuantile } from "../../shared/statistics/distributions.ts";
import { randomOf } from "../../shared/statistics/random.ts";
import { mismatchLevel, sampleRatio } from "../../shared/statistics/sampleRatio.ts";
import { adaptive } from "./experimentsAdaptive.ts";
import { sequences } from "./experimentsSequences.ts";
import type { Bench, Suite } from "./suite.ts";

const parts: Record<string, (bench: Bench) => void> = { sequences, ratio, adaptive };

export const experiments: Suite = async (bench) => {
  const { part } = bench;
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`experiments has no part "${part}"; there are ${Object.keys(parts).join(" and ")}.`);
  }
  for (const [name, run] of Object.entries(parts)) if (part === undefined || part === name) run(bench);
  return "done";
};

const simulations = 1000;

/** In how many simulations of exposures of two arms a mismatch is seen, by what is looked at. */
function mismatches(truth: number, exposures: number, seen: (counts: [number, number]) => boolean): number {
  let caught = 0;
  for (let run = 0; run < simulations; run++) {
    const random = randomOf(run + 1, 20);
    const counts: [number, number] = [0, 0];
    for (let i = 0; i < exposures; i++) counts[random.uniform() < truth ? 0 : 1]++;
    if (seen(counts)) caught++;
  }
  return (100 * caught) / simulations;
}

/** What Pearson's test catches of two shares, in percent, as far as its normal limit tells. */
function catchable(truth: number, exposures: number): number {
  const deviation = 2 * Math.sqrt(truth * (1 - truth));
  const shift = 2 * (truth - 0.5) * Math.sqrt(exposures);
  const z = -normalQuantile(mismatchLevel / 2);
  return 100 * (normalCdf((shift - z) / deviation) + normalCdf((-shift - z) / deviation));
}

function ratio({ emit, tell }: Bench): void {
  const even = [0.5, 0.5];
  tell(`ratio: ${simulations} simulations of exposures of two arms that are to be even`);
  const atOnce = (counts: [number, number]) => sampleRatio(counts, even).mismatch;
  const sequential = (counts: [number, number]) => sampleRatio(counts, even).sequentialPValue < mismatchLevel;
  const percent = { unit: "percent" } as const;
  emit({
    ...{ case: "ratio/5200-of-10000-caught", value: atOnce([5200, 4800]) ? 100 : 0, ...percent },
    ...{ baseline: 100, baseline_source: "bar" },
  });
  for (const exposures of [10_000, 20_000]) {
    emit({
      ...{ case: `ratio/true-52-48-at-${exposures}`, value: mismatches(0.52, exposures, atOnce), ...percent },
      ...{ baseline: catchable(0.52, exposures), baseline_source: "all that p < 0.001 can catch" },
    });
    emit({
      ...{
        case: `ratio/true-52-48-at-${exposures}-sequential`,
        value: mismatches(0.52, exposures, sequential),
        ...percent,
      },
      ...{ baseline: catchable(0.52, exposures), baseline_source: "all that one look can catch" },
    });
  }
  emit({
    ...{ case: "ratio/false-alarms", value: mismatches(0.5, 10_000, atOnce), ...percent },
    ...{ baseline: 100 * mismatchLevel, baseline_source: "its level" },
  });
}
