/** Who wins: the one whose answers surprise least, unless a cheaper one is as good for all that the rows can tell. */
import { evaluate, type LabelledLogits, probabilities } from "../training/evaluation.ts";

export interface Interval {
  low: number;
  high: number;
}

/** What an entrant made of rows that it did not learn from. */
export interface Score {
  accuracy: number;
  /** Of the accuracy, 95 %. */
  interval: Interval;
  macroF1: number;
  /** Mean of -log probability of the label, in nats. */
  loss: number;
}

export interface Rival {
  name: string;
  /** Calibrated. */
  held: LabelledLogits;
}

export function scoreOf({ held }: Rival): Score {
  const { accuracy, macroF1, loss } = evaluate(held);
  return { accuracy, macroF1, loss, interval: wilson(accuracy, held.labels.length) };
}

/** The interval of a share (Wilson 1927), 95 %. */
export function wilson(share: number, rows: number): Interval {
  const z2 = 1.959964 ** 2;
  const centre = (share + z2 / (2 * rows)) / (1 + z2 / rows);
  const half = Math.sqrt(z2 * ((share * (1 - share)) / rows + z2 / (4 * rows * rows))) / (1 + z2 / rows);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

export interface Verdict {
  winner: string;
  /** In a sentence. */
  why: string;
}

/** Of fewer rows than this nearly all differences are within a standard error: the dearest is expected to be best. */
const fewestRows = 200;

/** `rivals` are judged by the same rows, the cheapest first. */
export function verdictOn(rivals: readonly Rival[]): Verdict {
  const scored = rivals.map((rival) => ({ ...rival, perRow: perRow(rival), score: scoreOf(rival) }));
  const best = scored.reduce((a, b) => (b.score.loss < a.score.loss ? b : a));
  const rows = best.perRow.loss.length;
  if (rows < fewestRows) {
    const why = `${rows} rows cannot tell who is better; of so few, all that is known of the texts together did best elsewhere.`;
    return { winner: scored.at(-1)!.name, why };
  }
  const equal = scored.find((rival) => {
    return !isWorse(rival.perRow.loss, best.perRow.loss) && !isWorse(rival.perRow.wrong, best.perRow.wrong);
  })!;
  const told = `${percent(best.score.accuracy)} right, ${best.score.loss.toFixed(3)} nats a row`;
  if (equal.name === best.name) return { winner: best.name, why: `It gives labels the highest probability: ${told}.` };
  const own = `${percent(equal.score.accuracy)} right, ${equal.score.loss.toFixed(3)} nats a row`;
  const why = `It is cheaper than ${best.name} (${told}) and no worse within a standard error (${own}).`;
  return { winner: equal.name, why };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** By more than a standard error of the rows' differences; both [rows], lower is better. */
function isWorse(own: Float64Array, other: Float64Array): boolean {
  const rows = own.length;
  const differences = own.map((value, row) => value - other[row]!);
  const mean = differences.reduce((sum, value) => sum + value, 0) / rows;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(rows - 1, 1);
  return mean > Math.sqrt(variance / rows);
}

function perRow({ held: { logits, labels, classes } }: Rival) {
  const [loss, wrong] = [new Float64Array(labels.length), new Float64Array(labels.length)];
  for (const [row, label] of labels.entries()) {
    const found = probabilities(logits.subarray(row * classes, (row + 1) * classes), 1);
    loss[row] = -Math.log(Math.max(found[label]!, 1e-12));
    wrong[row] = Number(found.indexOf(Math.max(...found)) !== label);
  }
  return { loss, wrong };
}
