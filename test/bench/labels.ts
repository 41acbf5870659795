/** How many wrong labels the label doctor finds, how many of its suspects are wrong, and how often drift is told. */
import { examine } from "../../shared/labels/doctor.ts";
import { randomOf } from "../../shared/statistics/random.ts";
import { readDataSet, whereDataIsSought } from "./dataSets.ts";
import { drift } from "./labelsDrift.ts";
import type { Bench, Suite } from "./suite.ts";

const parts: Record<string, (bench: Bench) => void> = { doctor, drift };

export const labels: Suite = async (bench) => {
  const { part } = bench;
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`labels has no part "${part}"; there are ${Object.keys(parts).join(" and ")}.`);
  }
  for (const [name, run] of Object.entries(parts)) if (part === undefined || part === name) run(bench);
  return "done";
};

interface Case {
  name: string;
  /** Share of labels that are replaced. */
  flipped: number;
  /** By the label that n-grams of the other rows say is next likely, as people confuse labels; absent: by any other. */
  isNear?: boolean;
  /** Percent of the replaced ones that are to be found, and of the suspects that are to be among them. */
  bars: { recall: number; precision: number } | null;
}

const cases: Case[] = [
  { name: "banking77", flipped: 0.05, bars: { recall: 70, precision: 50 } },
  { name: "banking77", flipped: 0.05, isNear: true, bars: null },
  { name: "banking77", flipped: 0.2, bars: null },
  { name: "chnsenticorp_htl", flipped: 0.05, bars: null },
];
const usualSeeds = 3;

function doctor({ emit, tell, seeds = usualSeeds }: Bench): void {
  for (const { name, flipped, isNear, bars } of cases) {
    const set = readDataSet(name);
    if (!set) {
      tell(`${name}: left out, it is not in ${whereDataIsSought}`);
      continue;
    }
    const texts = set.train.map(({ text }) => text);
    const truth = set.train.map(({ label }) => label);
    const others = isNear ? nextLikely(texts, truth) : undefined;
    for (let seed = 1; seed <= seeds; seed++) {
      const started = performance.now();
      const given = flip(truth, flipped, seed, others);
      const wrong = new Set(given.keys().filter((row) => given[row] !== truth[row]));
      const { suspects, noise } = examine({ texts, labels: given }, { seed });
      const hits = suspects.filter(({ row }) => wrong.has(row)).length;
      const base = `doctor/${name}-${100 * flipped}-percent${isNear ? "-near" : ""}/seed-${seed}`;
      const against = (bar: number | undefined) => ({ baseline: bar ?? null, baseline_source: bar ? "bar" : "none" });
      const percent = (value: number) => ({ value: 100 * value, unit: "percent" as const });
      emit({ case: `${base}/recall`, ...percent(hits / wrong.size), ...against(bars?.recall) });
      emit({ case: `${base}/precision`, ...percent(hits / suspects.length), ...against(bars?.precision) });
      emit({
        ...{ case: `${base}/estimated-noise`, ...percent(noise) },
        ...{ baseline: (100 * wrong.size) / truth.length, baseline_source: "the share that was flipped" },
      });
      const seconds = (performance.now() - started) / 1000;
      emit({ case: `${base}/seconds`, value: seconds, unit: "seconds", ...against(undefined) });
    }
  }
}

/** Each label with chance `share` replaced by any other, all being as likely, or by the one that `others` has for it. */
export function flip(labels: readonly string[], share: number, seed: number, others?: readonly string[]): string[] {
  const names = [...new Set(labels)].sort();
  const random = randomOf(seed, 0x666c);
  return labels.map((label, row) => {
    if (random.uniform() >= share) return label;
    if (others) return others[row]!;
    const left = names.filter((name) => name !== label);
    return left[random.below(left.length)]!;
  });
}

/** Of each row the likeliest label but its own. */
function nextLikely(texts: readonly string[], labels: readonly string[]): string[] {
  const { names, probabilities } = examine({ texts, labels }, { seed: 99 });
  return labels.map((label, row) => {
    const own = probabilities.slice(row * names.length, (row + 1) * names.length);
    own[names.indexOf(label)] = 0;
    return names[own.indexOf(Math.max(...own))]!;
  });
}
