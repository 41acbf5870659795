/** How often drift is told where nothing moved, and where something did: windows of real texts, as if a model had answered them. */
import { compare } from "../../shared/drift/compare.ts";
import type { Observation } from "../../shared/drift/observation.ts";
import { randomOf, shuffle } from "../../shared/statistics/random.ts";
import type { Row } from "../examples/customer.ts";
import { readDataSet, whereDataIsSought } from "./dataSets.ts";
import type { Bench } from "./suite.ts";

const [reference, window, alpha] = [150, 75, 0.05];
const usualRuns = 200;

/** Of the window's rows alone. */
interface Shift {
  name: string;
  /** Whether a row may be in it. */
  has?: (label: number) => boolean;
  solved?: number;
}

const shifts: Shift[] = [
  { name: "nothing" },
  { name: "a quarter of the labels gone", has: (label) => label % 4 > 0 },
  { name: "half of the labels gone", has: (label) => label % 2 > 0 },
  { name: "feedback from 80 to 60 percent", solved: 0.6 },
];

export function drift({ emit, tell, seeds: runs = usualRuns }: Bench): void {
  const set = readDataSet("banking77");
  if (!set) {
    tell(`banking77: left out, it is not in ${whereDataIsSought}`);
    return;
  }
  tell(`drift: ${runs} pairs of ${reference} and ${window} rows for each of ${shifts.length} shifts`);
  const places = new Map(set.labels.map((label, place) => [label, place]));
  for (const [k, { name, has = () => true, solved }] of shifts.entries()) {
    let alarms = 0;
    for (let run = 1; run <= runs; run++) {
      const random = randomOf(run, 100 + k);
      const order = Int32Array.from(set.train.keys());
      shuffle(order, random);
      const rows = Array.from(order, (place) => set.train[place]!);
      const before = rows.slice(0, reference).map((row) => observe(row, random.uniform(), 0.8));
      const later = rows.slice(reference).filter(({ label }) => has(places.get(label)!));
      const after = later.slice(0, window).map((row) => observe(row, random.uniform(), solved ?? 0.8));
      if (compare({ reference: before, window: after, alpha, seed: run, permutations: 199 }).drifted) alarms++;
    }
    const isNothing = k === 0;
    emit({
      ...{ case: `drift/${name.replaceAll(" ", "-")}`, value: (100 * alarms) / runs, unit: "percent" },
      ...{ baseline: isNothing ? 100 * alpha : null, baseline_source: isNothing ? "its level" : "none" },
    });
  }
}

const observe = ({ text, label }: Row, uniform: number, solved: number): Observation => ({
  ...{ id: "req_", text, label, confidence: null, refused: false },
  outcomes: { solved: Number(uniform < solved) },
});
