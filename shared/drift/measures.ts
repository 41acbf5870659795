/** What is compared between a reference and a window: each measure says for which rows it is defined, and how far two samples are apart. */
import { mix } from "../engine/text/hashing.ts";
import { ngrams } from "../engine/text/ngrams.ts";
import { hashedVector } from "../labels/hashedVectors.ts";
import { distancesOf, maximumMeanDiscrepancy } from "../statistics/distances.ts";
import {
  binCounts,
  binEnds,
  jensenShannonDistance,
  kolmogorovSmirnov,
  populationStability,
} from "../statistics/drift.ts";
import type { TwoSampleStatistic } from "../statistics/permutation.ts";
import type { Observation } from "./observation.ts";

export type Aspect = "inputs" | "outputs" | "outcomes";

export interface Measure {
  name: string;
  aspect: Aspect;
  /** Of all rows, the reference's first, by index. */
  statistic: TwoSampleStatistic;
  /** A row's number, of which samples have means; null: it has none, and no row then. */
  value: ((row: number) => number | null) | null;
}

/** Hashed n-grams: as many as a few hundred short texts fill. */
const buckets = 64;
/** A measure that most rows have nothing for would compare luck. */
const leastOfSample = 20;

/** Those that most rows have: each measure more takes more to be sure of any. */
const mostMetrics = 10;

/** Those that both samples have enough rows for. The first `reference` rows are the reference. */
export function measuresOf(rows: readonly Observation[], reference: number): Measure[] {
  const samples = [rows.slice(0, reference), rows.slice(reference)];
  const isThere = (has: (row: Observation) => boolean) =>
    samples.every((own) => own.filter(has).length >= leastOfSample);
  const given = Map.groupBy(
    rows.flatMap(({ outcomes }) => Object.keys(outcomes)),
    (metric) => metric,
  );
  const byRows = [...given].sort(([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1));
  const metrics = byRows.slice(0, mostMetrics).map(([metric]) => metric);
  const has = {
    label: isThere(({ label }) => label !== null) && areLabels(rows),
    confidence: isThere(({ confidence }) => confidence !== null),
    answer: isThere(({ label, refused }) => label !== null || refused),
  };
  return [
    ...inputs(rows),
    ...(has.label ? [labels(rows)] : []),
    ...(has.confidence ? [confidence(rows)] : []),
    ...(has.answer ? [means("refusals", "outputs", rows, ({ refused }) => Number(refused))] : []),
    ...metrics
      .filter((metric) => isThere(({ outcomes }) => outcomes[metric] !== undefined))
      .map((metric) => means(metric, "outcomes", rows, ({ outcomes }) => outcomes[metric] ?? null)),
  ];
}

/** Texts that were written are no labels: nearly each is another. */
function areLabels(rows: readonly Observation[]): boolean {
  const said = rows.flatMap(({ label }) => label ?? []);
  return new Set(said).size <= said.length / 2;
}

function inputs(rows: readonly Observation[]): Measure[] {
  const bags = rows.map(({ text }) => ngrams(text));
  const lengths = bags.map(({ tokens }) => tokens);
  const ends = binEnds(lengths);
  const bins = lengths.map((length) => binCounts([length], ends));
  const places = bags.map((bag) => {
    const counts = new Float64Array(buckets);
    for (const bucket of bag.buckets) counts[mix(bucket) % buckets]!++;
    return counts;
  });
  const found = distancesOf(rows.map(({ vector, text }) => vector ?? hashedVector(text)));
  return [
    {
      name: "lengths",
      aspect: "inputs",
      statistic: ofCounts(bins, populationStability),
      value: (row) => lengths[row]!,
    },
    { name: "tokens", aspect: "inputs", statistic: ofCounts(places, jensenShannonDistance), value: null },
    { name: "texts", aspect: "inputs", statistic: meanDiscrepancy(found), value: null },
  ];
}

/** All texts alike differ by nothing. */
function meanDiscrepancy(found: ReturnType<typeof distancesOf>): TwoSampleStatistic {
  const apart = found.distances.filter((distance) => distance > 0).sort();
  const width = apart[apart.length >> 1];
  return width === undefined ? () => 0 : maximumMeanDiscrepancy(found, width);
}

function labels(rows: readonly Observation[]): Measure {
  const names = [...new Set(rows.map(({ label }) => label))].filter((label) => label !== null).sort();
  const counts = rows.map(({ label }) => Float64Array.from(names, (name) => Number(name === label)));
  return { name: "labels", aspect: "outputs", statistic: ofCounts(counts, jensenShannonDistance), value: null };
}

function confidence(rows: readonly Observation[]): Measure {
  const values = rows.map((row) => row.confidence);
  const known = (items: Int32Array) => Array.from(items, (item) => values[item]!).filter((value) => value !== null);
  const statistic: TwoSampleStatistic = (first, second) => {
    const samples = [known(first), known(second)] as const;
    return samples.every((own) => own.length) ? kolmogorovSmirnov(...samples).statistic : 0;
  };
  return { name: "confidence", aspect: "outputs", statistic, value: (row) => values[row]! };
}

/** How far the means of the rows that have a number are apart. */
function means(
  name: string,
  aspect: Aspect,
  rows: readonly Observation[],
  of: (row: Observation) => number | null,
): Measure {
  const values = rows.map(of);
  const statistic: TwoSampleStatistic = (first, second) => {
    const [a, b] = [meanOf(values, first), meanOf(values, second)];
    return a === null || b === null ? 0 : Math.abs(a - b);
  };
  return { name, aspect, statistic, value: (row) => values[row]! };
}

/** Of those that have one; null: none has. */
export function meanOf(values: readonly (number | null)[], items: ArrayLike<number>): number | null {
  let [sum, count] = [0, 0];
  for (let i = 0; i < items.length; i++) {
    const value = values[items[i]!]!;
    if (value === null) continue;
    sum += value;
    count++;
  }
  return count ? sum / count : null;
}

/** Of rows that are counts, added up: [places] each. A sample without any differs by nothing. */
function ofCounts(
  rows: readonly Float64Array[],
  distance: (reference: Float64Array, window: Float64Array) => number,
): TwoSampleStatistic {
  const sumOf = (items: Int32Array) => {
    const sum = new Float64Array(rows[0]!.length);
    for (const item of items) {
      const own = rows[item]!;
      for (let place = 0; place < sum.length; place++) sum[place]! += own[place]!;
    }
    return sum;
  };
  const isEmpty = (counts: Float64Array) => counts.every((count) => count === 0);
  return (first, second) => {
    const [a, b] = [sumOf(first), sumOf(second)];
    return isEmpty(a) || isEmpty(b) ? 0 : distance(a, b);
  };
}
