/** Has anything moved between two samples of answers? All measures at once, with one chance of a false alarm between them. */
import { hashedVector } from "../labels/hashedVectors.ts";
import { highest } from "../labels/strategies.ts";
import { jointPermutationTest } from "../statistics/permutation.ts";
import { type Aspect, meanOf, measuresOf } from "./measures.ts";
import type { Observation } from "./observation.ts";

export interface CompareRequest {
  reference: Observation[];
  window: Observation[];
  /** The chance of any false alarm. */
  alpha: number;
  seed: number;
  /** Default: 999, or as many as alpha and the measures need. */
  permutations?: number;
}

export interface MeasureReport {
  name: string;
  aspect: Aspect;
  statistic: number;
  /** What it exceeds where it has drifted. */
  threshold: number;
  /** Adjusted for all others. */
  p_value: number;
  drifted: boolean;
  /** Means; null where what is compared is no number. */
  reference_mean: number | null;
  window_mean: number | null;
}

export interface Comparison {
  drifted: boolean;
  /** Of all measures together. */
  p_value: number;
  measures: MeasureReport[];
  /** Labels by how much their share changed. */
  labels: { label: string; reference: number; window: number }[];
  /** Rows of the window that are least like any of the reference. */
  examples: { inference_id: string; text: string; distance: number }[];
}

/** The rarest that any of some measures can be is once in the permutations, each in another of them. */
const permutationsFor = (measures: number, alpha: number) => Math.max(999, Math.ceil((2 * measures) / alpha));
const [mostLabels, mostExamples, longestExample] = [10, 5, 200];

export function compare({ reference, window, alpha, seed, permutations }: CompareRequest): Comparison {
  const rows = [...reference, ...window];
  const measures = measuresOf(rows, reference.length);
  const sizes = { first: reference.length, second: window.length };
  const tested = jointPermutationTest(
    sizes,
    measures.map(({ statistic }) => statistic),
    { permutations: permutations ?? permutationsFor(measures.length, alpha), seed, alpha },
  );
  const places = rows.map((_, place) => place);
  return {
    drifted: tested.pValue <= alpha,
    p_value: tested.pValue,
    measures: measures.map(({ name, aspect, value }, i) => {
      const { statistic, threshold, pValue } = tested.statistics[i]!;
      const values = value && places.map(value);
      const mean = (own: number[]) => values && meanOf(values, own);
      return {
        ...{ name, aspect, statistic, threshold, p_value: pValue, drifted: pValue <= alpha },
        reference_mean: mean(places.slice(0, reference.length)),
        window_mean: mean(places.slice(reference.length)),
      };
    }),
    labels: labelShares(reference, window),
    examples: strangest(reference, window),
  };
}

function labelShares(reference: readonly Observation[], window: readonly Observation[]): Comparison["labels"] {
  const share = (rows: readonly Observation[], label: string) =>
    rows.filter((row) => row.label === label).length / rows.length;
  const names = [...new Set([...reference, ...window].map(({ label }) => label))].filter((label) => label !== null);
  return names
    .sort()
    .map((label) => ({ label, reference: share(reference, label), window: share(window, label) }))
    .sort((a, b) => Math.abs(b.window - b.reference) - Math.abs(a.window - a.reference))
    .slice(0, mostLabels);
}

function strangest(reference: readonly Observation[], window: readonly Observation[]): Comparison["examples"] {
  const vectorOf = ({ vector, text }: Observation) => vector ?? hashedVector(text);
  const known = reference.map(vectorOf);
  const distances = window.map((row) => {
    const own = vectorOf(row);
    return Math.min(...known.map((other) => Math.sqrt(own.reduce((sum, v, i) => sum + (v - other[i]!) ** 2, 0))));
  });
  return highest(distances, mostExamples).map((place) => {
    const { id, text } = window[place]!;
    return { inference_id: id, text: text.slice(0, longestExample), distance: distances[place]! };
  });
}
