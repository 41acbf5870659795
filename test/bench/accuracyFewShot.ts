/** `millrace-auto` where customers start: a few rows of each label. */
import { mixSeeds, permutation } from "../../shared/engine/random.ts";
import type { Row } from "../examples/customer.ts";
import { baselineOf } from "./accuracyBaseline.ts";
import { bar, textSets } from "./accuracyFull.ts";
import { type Part, tune } from "./accuracyJobs.ts";
import { meanOf } from "./accuracyMeasures.ts";

const usualDraws = 5;
/** As many rows are asked about after each draw. */
const mostAsked = 2000;

interface Few {
  /** Rows of each label. */
  perLabel: number;
  /** Points above the baseline that are asked for, on average; null: none are. */
  wanted: number | null;
}

export const fewShot =
  ({ perLabel, wanted }: Few): Part =>
  async ({ client, emit, tell, seeds = usualDraws }) => {
    const gains: number[] = [];
    for (const { one, measure, ...set } of textSets(tell)) {
      const test = sample(set.test, mostAsked);
      const [ours, theirs]: number[][] = [[], []];
      let source = "none";
      for (let seed = 1; seed <= seeds; seed++) {
        const drawn = { train: draw(set.train, perLabel, seed), test, labels: set.labels };
        const { answers } = await tune(client, drawn, { name: one.name, model: "millrace-auto", seed, tell });
        const baseline = await baselineOf(one, drawn, tell);
        ours!.push(100 * measure(answers, test));
        if (baseline.percent !== null) theirs!.push(baseline.percent);
        source = baseline.source;
        tell(`${one.name}: draw ${seed}, ${ours!.at(-1)!.toFixed(1)} % against ${baseline.percent?.toFixed(1)} %`);
      }
      const baseline = theirs!.length ? meanOf(theirs!) : null;
      const name = `fewshot-${perLabel}/${one.name}`;
      emit({ case: name, value: meanOf(ours!), unit: "percent", baseline, baseline_source: source });
      if (baseline !== null) gains.push(meanOf(ours!) - baseline);
    }
    if (!gains.length) return;
    const asked = wanted === null ? { baseline: null, baseline_source: "none" } : bar(wanted);
    emit({ case: `fewshot-${perLabel}/mean-gain`, value: meanOf(gains), unit: "percent", ...asked });
  };

function draw(rows: readonly Row[], perLabel: number, seed: number): Row[] {
  const taken = new Map<string, number>();
  return Array.from(permutation(rows.length, mixSeeds(seed, 0x66657773)), (place) => rows[place]!).filter(
    ({ label }) => {
      taken.set(label, (taken.get(label) ?? 0) + 1);
      return taken.get(label)! <= perLabel;
    },
  );
}

function sample(rows: readonly Row[], most: number): Row[] {
  return Array.from(permutation(rows.length, 1).subarray(0, most), (place) => rows[place]!);
}
