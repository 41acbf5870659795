/**
 * Which labels are probably wrong, from probabilities that were found without them (Northcutt et al. 2021, "Confident
 * Learning"; the steps and their order are those of cleanlab's `count.py` and `filter.py`, prune by noise rate).
 */

export interface Judged {
  /** Row-major [rows, classes]; each row's from models that did not learn from it. */
  readonly probabilities: Float64Array | Float32Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

export interface LabelIssues {
  /** Rows whose label is probably wrong, the surest first. */
  readonly rows: readonly number[];
  /** By given label, then by probable true one: rows, an estimate that keeps the number of each given label. */
  readonly joint: readonly (readonly number[])[];
  /** Share of all rows, an estimate. */
  readonly noise: number;
}

const leastThreshold = 2e-6;
const slack = 1e-6;

export function findLabelIssues(judged: Judged): LabelIssues {
  const { labels, classes } = judged;
  const joint = calibrated(confidentCounts(judged), labels);
  const kept = keepingOneRow(joint);
  const removed = new Set<number>();
  const byLabel = Map.groupBy(labels.keys(), (row) => labels[row]!);
  for (const [given, rows] of byLabel) {
    for (let truth = 0; truth < classes; truth++) {
      const count = truth === given ? 0 : kept[given]![truth]!;
      if (count === 0) continue;
      const lead = (row: number) => at(judged, row, truth) - at(judged, row, given);
      const worst = rows.toSorted((a, b) => lead(b) - lead(a)).slice(0, count);
      for (const row of worst) removed.add(row);
    }
  }
  const rows = [...removed].filter((row) => best(judged, row, slack) !== labels[row]);
  const diagonal = joint.reduce((sum, counts, label) => sum + counts[label]!, 0);
  return {
    rows: rows.sort((a, b) => margin(judged, a) - margin(judged, b)),
    joint,
    noise: 1 - diagonal / Math.max(labels.length, 1),
  };
}

/** How much more probable the given label is than any other, from 0 (certainly wrong) to 1. */
export function margin(judged: Judged, row: number): number {
  const label = judged.labels[row]!;
  let other = 0;
  for (let k = 0; k < judged.classes; k++) if (k !== label) other = Math.max(other, at(judged, row, k));
  return (at(judged, row, label) - other + 1) / 2;
}

const at = ({ probabilities, classes }: Judged, row: number, label: number) => probabilities[row * classes + label]!;

/** The most probable label; the given one is raised by `bonus`. */
function best(judged: Judged, row: number, bonus = 0): number {
  const value = (label: number) => at(judged, row, label) + (label === judged.labels[row] ? bonus : 0);
  let found = 0;
  for (let label = 1; label < judged.classes; label++) if (value(label) > value(found)) found = label;
  return found;
}

/** A label's mean probability among the rows that are said to have it; of a label without rows, one that none reaches. */
function thresholdsOf(judged: Judged): Float64Array {
  const { labels, classes } = judged;
  const [sums, counts] = [new Float64Array(classes), new Float64Array(classes)];
  for (const [row, label] of labels.entries()) {
    sums[label]! += at(judged, row, label);
    counts[label]!++;
  }
  return sums.map((sum, label) => (counts[label] ? Math.max(sum / counts[label]!, leastThreshold) : 2));
}

/** Rows by given label and by the one label they are confidently of; at least 1 on the diagonal. */
function confidentCounts(judged: Judged): number[][] {
  const { labels, classes } = judged;
  const thresholds = thresholdsOf(judged);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [row, given] of labels.entries()) {
    const sure = thresholds.reduce((sum, least, label) => sum + Number(at(judged, row, label) >= least - slack), 0);
    if (sure === 0) continue;
    const only = thresholds.findIndex((least, label) => at(judged, row, label) >= least - slack);
    counts[given]![sure === 1 ? only : best(judged, row)]!++;
  }
  for (const [label, own] of counts.entries()) own[label] = Math.max(own[label]!, 1);
  return counts;
}

/** Scaled so that each given label keeps its number of rows, in whole numbers. */
function calibrated(counts: readonly (readonly number[])[], labels: Int32Array): number[][] {
  const given = new Float64Array(counts.length);
  for (const label of labels) given[label]!++;
  return counts.map((own, label) => {
    const sum = own.reduce((total, count) => total + count, 0);
    return roundedKeepingSum(own.map((count) => (count / sum) * given[label]!));
  });
}

/** Whole numbers of the same sum: rounded, and then those that rounding changed most are changed back. */
function roundedKeepingSum(values: readonly number[]): number[] {
  const rounded = values.map(roundHalfToEven);
  const sum = Math.round(values.reduce((total, value) => total + value, 0));
  const missing = sum - rounded.reduce((total, value) => total + value, 0);
  const lost = (place: number) => (values[place]! - rounded[place]!) * Math.sign(missing);
  const order = [...values.keys()].sort((a, b) => lost(b) - lost(a) || (b - a) * Math.sign(missing));
  for (const place of order.slice(0, Math.abs(missing))) rounded[place]! += Math.sign(missing);
  return rounded;
}

function roundHalfToEven(value: number): number {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}

/** The joint with at least one row of each label left as it is, what is removed being less in proportion. */
function keepingOneRow(joint: readonly (readonly number[])[]): number[][] {
  return joint.map((own, label) => {
    if (own[label]! >= 1) return [...own];
    const others = own.reduce((sum, count, other) => sum + (other === label ? 0 : count), 0);
    const scale = others > 0 ? Math.max(0, others - 1 + own[label]!) / others : 0;
    return own.map((count, other) => (other === label ? 1 : Math.floor(count * scale)));
  });
}
