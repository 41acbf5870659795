/** How many labels a strategy saves: the model asks which rows to label, beside rows drawn at random. */
import { highest, uncertaintyOf } from "../../shared/labels/strategies.ts";
import { randomOf, shuffle } from "../../shared/statistics/random.ts";
import type { Row } from "../examples/customer.ts";
import { readDataSet, whereDataIsSought } from "./dataSets.ts";
import { learnAndAnswer, percentRight } from "./flywheelModel.ts";
import { type Stream, streamOf } from "./flywheelTurns.ts";
import type { Bench } from "./suite.ts";

/** Labels that random labelling ends with, and what of them both begin with. */
const labelled = [
  { name: "banking77", begin: 600, budget: 6000 },
  { name: "chnsenticorp_htl", begin: 200, budget: 4000 },
] as const;

const wanted = 0.6;
const rounds = 6;
const usualSeeds = 2;

export async function labels({ emit, tell, seeds = usualSeeds }: Bench): Promise<void> {
  for (const { name, begin, budget } of labelled) {
    const set = readDataSet(name);
    if (!set) {
      tell(`${name}: left out, it is not in ${whereDataIsSought}`);
      continue;
    }
    const ends: { random: number; randomAtWanted: number; active: number }[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const stream = streamOf(set, 0, seed);
      const few = Math.round(wanted * budget);
      const end = {
        random: await accuracyAt(stream, stream.later.slice(0, budget), seed),
        randomAtWanted: await accuracyAt(stream, stream.later.slice(0, few), seed),
        active: await accuracyAt(stream, await askFor(stream, { begin, end: few, seed }), seed),
      };
      tell(`${name}, seed ${seed}: ${JSON.stringify(end)}`);
      ends.push(end);
    }
    const mean = (of: keyof (typeof ends)[number]) => ends.reduce((sum, end) => sum + end[of], 0) / ends.length;
    const random = { unit: "percent", baseline: mean("random"), baseline_source: `random, ${budget} labels` } as const;
    emit({ case: `labels/${name}/uncertainty-at-60-percent`, value: mean("active"), ...random });
    emit({ case: `labels/${name}/random-at-60-percent`, value: mean("randomAtWanted"), ...random });
  }
}

async function accuracyAt({ test, names }: Stream, rows: readonly Row[], seed: number): Promise<number> {
  const asked = test.map(({ text }) => text);
  return percentRight((await learnAndAnswer(rows, asked, names, seed)).answers, test);
}

/** Rows labelled round by round: the first at random, then always those that the model of the rows so far is least sure of. */
async function askFor(
  { later, names }: Stream,
  { begin, end, seed }: { begin: number; end: number; seed: number },
): Promise<Row[]> {
  const known = later.slice(0, begin);
  let pool = later.slice(begin);
  for (let round = 1; round <= rounds; round++) {
    const count = Math.round(begin + ((end - begin) * round) / rounds) - known.length;
    const { probabilities } = await learnAndAnswer(
      known,
      pool.map(({ text }) => text),
      names,
      seed,
    );
    const chosen = new Set(highest(probabilities.map(uncertaintyOf), count));
    known.push(...pool.filter((_, place) => chosen.has(place)));
    pool = pool.filter((_, place) => !chosen.has(place));
  }
  const order = Int32Array.from(known, (_, place) => place);
  shuffle(order, randomOf(seed, 31));
  return Array.from(order, (place) => known[place]!);
}
