/**
 * A label that stands for none of the others. Rows of it are like nothing in particular, so a model that learned it from
 * examples knows only those; that no other label is probable says as much. Both are weighed into its logit.
 */
import type { LabelledLogits } from "../training/evaluation.ts";
import { solve } from "./combination.ts";

/** How the label's logit is made: the others' sum (as log-sum-exp) + constant + own x (logit - sum) + doubt x -log(most probable other). */
export interface OutOfScopeRule {
  label: number;
  own: number;
  doubt: number;
  constant: number;
}

const names =
  /^(oos|ood|out[ _-]?of[ _-]?(scope|domain)|none|none[ _-]of[ _-](these|the[ _-]above)|fallback|unknown)$/i;

/** The number of such a label; undefined where there is none. */
export function outOfScopeLabel(labels: readonly string[]): number | undefined {
  const found = labels.findIndex((label) => names.test(label));
  return found < 0 ? undefined : found;
}

/** Logits of one row as the rule has them. */
export function withOutOfScope(logits: Float32Array, rule: OutOfScopeRule): Float32Array {
  const { sum, own, doubt } = signs(logits, rule.label);
  return logits.with(rule.label, sum + rule.constant + rule.own * own + rule.doubt * doubt);
}

/** What a row says of the question: the label's logit less the others' sum, and how little the best of those leads. */
function signs(logits: Float32Array, label: number) {
  let top = Number.NEGATIVE_INFINITY;
  for (const [k, value] of logits.entries()) if (k !== label) top = Math.max(top, value);
  let total = 0;
  for (const [k, value] of logits.entries()) if (k !== label) total += Math.exp(value - top);
  const sum = top + Math.log(total);
  return { sum, own: logits[label]! - sum, doubt: Math.log(total) };
}

/** Points of accuracy on the other labels' rows that may be given for finding more of the label's own. */
const mostLost = 0.015;
const rounds = 50;

/**
 * A logistic regression of the two signs, both sides counting the same; then the constant is lowered until the rows of
 * other labels lose no more than `mostLost`. Undefined where the label has fewer than five rows.
 */
export function fitOutOfScope({ logits, labels, classes }: LabelledLogits, label: number): OutOfScopeRule | undefined {
  const rows = Array.from(labels, (own, row) => {
    const values = logits.subarray(row * classes, (row + 1) * classes);
    return { ...signs(values, label), isOut: own === label, isRight: rightAmongOthers(values, own, label) };
  });
  const out = rows.filter(({ isOut }) => isOut).length;
  if (out < 5 || out === rows.length) return undefined;
  const [a, b] = fitSigns(rows, out);
  const score = (row: Signs) => a * row.own + b * row.doubt;
  // A row is taken for one of the others' while its best other label's logit exceeds the label's own.
  const limit = (row: Signs) => -row.doubt - score(row);
  const right = rows.filter(({ isOut, isRight }) => !isOut && isRight).map(limit);
  right.sort((x, y) => x - y);
  const others = rows.length - out;
  const reached = baseAccuracy(rows, others);
  const wanted = Math.ceil((reached - mostLost) * others);
  const constant = (right[Math.max(0, right.length - wanted)] ?? 0) - 1e-6;
  return { label, own: a, doubt: b, constant: Math.min(constant, balanced(rows, score)) };
}

interface Signs {
  own: number;
  doubt: number;
  isOut: boolean;
  isRight: boolean;
}

/** Share of the other labels' rows that are right while the label's logit is what the model gives. */
function baseAccuracy(rows: readonly Signs[], others: number): number {
  return rows.filter(({ isOut, isRight, own, doubt }) => !isOut && isRight && own < -doubt).length / others;
}

/** The constant that finds most: recall of the label and accuracy on the others counting the same. */
function balanced(rows: readonly Signs[], score: (row: Signs) => number): number {
  const out = rows.filter(({ isOut }) => isOut).length;
  const events = rows
    .filter(({ isOut, isRight }) => isOut || isRight)
    .map((row) => ({ at: -row.doubt - score(row), gain: row.isOut ? 1 / out : -1 / (rows.length - out) }))
    .sort((x, y) => x.at - y.at);
  let [gain, most, best] = [0, 0, Number.NEGATIVE_INFINITY];
  for (const event of events) {
    gain += event.gain;
    if (gain > most) [most, best] = [gain, event.at + 1e-6];
  }
  return best;
}

function rightAmongOthers(values: Float32Array, own: number, label: number): boolean {
  return values.every((value, k) => k === label || k === own || value < values[own]!);
}

/** What holds the weights near 1, so that a label whose rows are easily told is not made certain. */
const ridge = 1e-2;

/** Newton's method on the two weights and a constant, which is chosen anew afterwards. */
function fitSigns(rows: readonly Signs[], out: number): [number, number] {
  let weights = [1, 1, 0];
  for (let round = 0; round < rounds; round++) {
    const gradient = weights.map((value, i) => (i < 2 ? ridge * (value - 1) : 0));
    const curvature = weights.map((_, i) => weights.map((_, j) => (i === j ? ridge : 0)));
    for (const row of rows) {
      const x = [row.own, row.doubt, 1];
      const share = row.isOut ? 0.5 / out : 0.5 / (rows.length - out);
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, i) => sum + value * weights[i]!, 0)));
      for (const [i, value] of x.entries()) {
        gradient[i]! += share * (p - Number(row.isOut)) * value;
        for (const [j, other] of x.entries()) curvature[i]![j]! += share * p * (1 - p) * value * other;
      }
    }
    const step = solve(curvature, gradient);
    // A whole step may overshoot where nearly all rows are told apart.
    const length = Math.max(1, ...step.map(Math.abs));
    weights = weights.map((value, i) => value - step[i]! / length);
  }
  return [Math.max(0, weights[0]!), Math.max(0, weights[1]!)];
}
