/** How good answers are: shares, F1 by label, and the order of similarities. */
import type { Row } from "../examples/customer.ts";

export type Measure = "accuracy" | "macro-F1";
type Answers = readonly (string | null)[];

export function accuracyOf(answers: Answers, rows: readonly Row[]): number {
  return answers.filter((answer, i) => answer === rows[i]!.label).length / rows.length;
}

/** Mean of the labels' F1 scores, over the labels that the rows have. */
export function macroF1Of(answers: Answers, rows: readonly Row[]): number {
  const labels = [...new Set(rows.map(({ label }) => label))];
  const scores = labels.map((label) => {
    const hits = rows.filter((row, i) => row.label === label && answers[i] === label).length;
    const total =
      rows.filter((row) => row.label === label).length + answers.filter((answer) => answer === label).length;
    return (2 * hits) / total;
  });
  return scores.reduce((sum, score) => sum + score, 0) / labels.length;
}

export const measures: Record<Measure, (answers: Answers, rows: readonly Row[]) => number> = {
  accuracy: accuracyOf,
  "macro-F1": macroF1Of,
};

/** Spearman's correlation of two lists of numbers, equal ones sharing their mean rank. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length + 1) / 2;
  let [product, left, right] = [0, 0, 0];
  for (const [i, rank] of x.entries()) {
    product += (rank - mean) * (y[i]! - mean);
    left += (rank - mean) ** 2;
    right += (y[i]! - mean) ** 2;
  }
  return product / Math.sqrt(left * right);
}

function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const found = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) found[order[i]!] = (start + end + 1) / 2;
    start = end;
  }
  return found;
}

/** The least value from which on pairs are taken for alike, by which most of the labelled ones are right. */
export function bestThreshold(values: readonly number[], isAlike: readonly boolean[]): number {
  const candidates = [...values, Number.POSITIVE_INFINITY];
  const right = (least: number) => values.filter((value, i) => value >= least === isAlike[i]).length;
  return candidates.reduce((best, least) => (right(least) > right(best) ? least : best));
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
