/** How sure of an answer a model must be for its answers to be as precise as somebody asks for. */
import { type LabelledLogits, probabilities } from "./evaluation.ts";

/** Answers of at least this confidence are right in at least this share of cases. */
export interface Threshold {
  /** 0 to 1. */
  precision: number;
  /** Probability of the most probable label, 0 to 1. */
  confidence: number;
}

/** How often a promise may be broken by the luck of the validation rows: one in twenty. */
const delta = 0.05;

/** Shares of the rows, the most confident ones, that are tried; known beforehand, so that each trial costs an equal part of delta. */
const shares = Array.from({ length: 20 }, (_, i) => 1 - i / 20);

/** 0.5, 0.51 and so on to 0.99: a precision between two of them is taken as the next higher one. */
const precisions = Array.from({ length: 50 }, (_, i) => (50 + i) / 100);

interface Answered {
  confidence: number;
  isRight: boolean;
}

/**
 * The least confidence that keeps each precision, in rising order; precisions that the rows cannot support are missing,
 * and so are those that a higher one's confidence keeps as well. Each holds with probability 95 % over the draw of the
 * rows: a share of them is believed when the exact binomial test says so at 5 % over the number of shares tried
 * (Angelopoulos et al. 2021, "Learn then Test", with Bonferroni's correction). Few rows therefore support little: a
 * hundred answered without a fault are evidence of 0.94.
 */
export function fitThresholds(held: LabelledLogits, temperature: number): Threshold[] {
  const answered = mostConfidentFirst(held, temperature);
  const fitted = precisions.flatMap((precision) => {
    const confidence = leastConfidence(answered, precision);
    return confidence === undefined ? [] : [{ precision, confidence }];
  });
  return fitted.filter(({ confidence }, i) => confidence !== fitted[i + 1]?.confidence);
}

/** The confidence from which on answers are this precise; undefined where none was found to be. */
export function confidenceFor(thresholds: readonly Threshold[], precision: number): number | undefined {
  return thresholds.find((threshold) => threshold.precision >= precision)?.confidence;
}

function mostConfidentFirst({ logits, labels, classes }: LabelledLogits, temperature: number): Answered[] {
  const answered = Array.from(labels, (label, row) => {
    const byLabel = probabilities(logits.subarray(row * classes, (row + 1) * classes), temperature);
    const confidence = Math.max(...byLabel);
    return { confidence, isRight: byLabel.indexOf(confidence) === label };
  });
  return answered.sort((a, b) => b.confidence - a.confidence);
}

function leastConfidence(answered: readonly Answered[], precision: number): number | undefined {
  const rightAmong = [0];
  for (const [i, { isRight }] of answered.entries()) rightAmong.push(rightAmong[i]! + Number(isRight));
  for (const share of shares) {
    const confidence = answered[Math.ceil(share * answered.length) - 1]?.confidence;
    if (confidence === undefined) break;
    // Rows of equal confidence are answered or refused together.
    const rows = answered.findLastIndex((row) => row.confidence === confidence) + 1;
    if (chanceOf(rightAmong[rows]!, rows, precision) <= delta / shares.length) return confidence;
  }
  return undefined;
}

/** Of `right` or more of `rows` being right where each is right with probability `precision`. */
function chanceOf(right: number, rows: number, precision: number): number {
  let logTerm = rows * Math.log(precision);
  let chance = Math.exp(logTerm);
  for (let wrong = 1; wrong <= rows - right; wrong++) {
    logTerm += Math.log(((rows - wrong + 1) / wrong) * (1 / precision - 1));
    chance += Math.exp(logTerm);
  }
  return chance;
}
