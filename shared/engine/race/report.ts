/** What a race has to tell: numbers and names, from which a document is made. */
import type { LabelledLogits } from "../training/evaluation.ts";
import type { Score } from "./verdict.ts";

export interface CandidateReport extends Score {
  name: string;
  /** What each of its parts does. */
  what: string[];
  /** Of the race: all of its folds. */
  seconds: number;
  steps: number;
  tokens: number;
}

export interface ClassReport {
  label: string;
  /** Judged ones. */
  rows: number;
  /** Null where nothing was answered so. */
  precision: number | null;
  /** Null where no row has the label. */
  recall: number | null;
  f1: number | null;
}

/** A row whose label is probably wrong. */
export interface Suspect {
  /** Of the training file, counting from 1; 0 where that is not known. */
  line: number;
  given: string;
  suggested: string;
  /** From 0, certainly wrong, to 1. */
  quality: number;
}

export interface RaceReport {
  winner: string;
  why: string;
  /** That were raced over. */
  rows: number;
  /** That the candidates are compared by. */
  judged: number;
  folds: number;
  candidates: CandidateReport[];
  /** Who was compared on a part of the way. */
  heats: { name: string; accuracy: number; loss: number; seconds: number }[];
  /** The most frequent label's rows by the rarest's. */
  imbalance: number;
  /** By how much frequent labels are held back; null: not at all. */
  balance: number | null;
  outOfScope: {
    label: string;
    before: { recall: number; inScopeAccuracy: number };
    after: { recall: number; inScopeAccuracy: number };
  } | null;
  classes: ClassReport[];
  suspects: Suspect[];
  /** Estimated share of wrong labels. */
  noise: number;
}

export function classReports({ logits, labels, classes }: LabelledLogits, names: readonly string[]): ClassReport[] {
  const [hits, answers, truths] = [new Float64Array(classes), new Float64Array(classes), new Float64Array(classes)];
  for (const [row, label] of labels.entries()) {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const answer = own.indexOf(own.reduce((a, b) => Math.max(a, b)));
    answers[answer]!++;
    truths[label]!++;
    if (answer === label) hits[label]!++;
  }
  const share = (part: number, whole: number) => (whole ? part / whole : null);
  return names.map((label, k) => ({
    label,
    rows: truths[k]!,
    precision: share(hits[k]!, answers[k]!),
    recall: share(hits[k]!, truths[k]!),
    f1: share(2 * hits[k]!, answers[k]! + truths[k]!),
  }));
}
