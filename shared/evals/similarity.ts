/** How alike two texts are, 0 to 1, by the metrics that OpenAI's graders name. What compares vectors needs a model and is not here. */
import type { similarityMetrics } from "../schemas/evalGrader.ts";
import { longestCommon } from "./longestCommon.ts";
import { meteor } from "./meteor.ts";
import { countRuns, sharedRuns, wordsAndMarksOf, wordsOf } from "./words.ts";

type Metric = (input: string, reference: string) => number;

export const similarities: Record<Exclude<(typeof similarityMetrics)[number], "cosine">, Metric> = {
  fuzzy_match: fuzzyMatch,
  bleu: (input, reference) => bleu(wordsAndMarksOf(input), wordsAndMarksOf(reference)),
  gleu: (input, reference) => gleu(wordsAndMarksOf(input), wordsAndMarksOf(reference)),
  meteor: (input, reference) => meteor(wordsOf(input), wordsOf(reference)),
  rouge_1: rouge(1),
  rouge_2: rouge(2),
  rouge_3: rouge(3),
  rouge_4: rouge(4),
  rouge_5: rouge(5),
  rouge_l: (input, reference) => {
    const [found, wanted] = [wordsOf(input), wordsOf(reference)];
    return harmonicMean(longestCommon(found, wanted), found.length, wanted.length);
  },
};

/** What two sides share, twice, by the length of both: F1 of precision and recall. */
function harmonicMean(shared: number, found: number, wanted: number): number {
  return found + wanted === 0 ? 0 : (2 * shared) / (found + wanted);
}

/** Characters in common order (rapidfuzz's `fuzz.ratio`); two empty texts are the same. */
function fuzzyMatch(input: string, reference: string): number {
  const [a, b] = [[...input], [...reference]];
  return a.length + b.length === 0 ? 1 : harmonicMean(longestCommon(a, b), a.length, b.length);
}

/** F1 of runs of so many words (Lin 2004, "ROUGE: a package for automatic evaluation of summaries"). */
function rouge(size: number): Metric {
  return (input, reference) => {
    const [found, wanted] = [wordsOf(input), wordsOf(reference)];
    const runs = (words: readonly string[]) => Math.max(0, words.length - size + 1);
    return harmonicMean(sharedRuns(countRuns(found, size), countRuns(wanted, size)), runs(found), runs(wanted));
  };
}

const sizes = [1, 2, 3, 4];

/**
 * Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation", over one sentence: a size without
 * a run in common counts 0.1 of one (method 1 of Chen and Cherry 2014), or most short answers would be 0.
 */
export function bleu(found: readonly string[], wanted: readonly string[]): number {
  const shared = sizes.map((size) => sharedRuns(countRuns(found, size), countRuns(wanted, size)));
  if (shared[0] === 0) return 0;
  const precision = (size: number, i: number) => (shared[i] || 0.1) / Math.max(1, found.length - size + 1);
  const logarithms = sizes.map((size, i) => Math.log(precision(size, i)));
  const brevity = found.length > wanted.length ? 1 : Math.exp(1 - wanted.length / found.length);
  return brevity * Math.exp(logarithms.reduce((sum, value) => sum + value, 0) / sizes.length);
}

/** The lesser of precision and recall over runs of one to four words (Wu et al. 2016, "Google's neural machine translation system"). */
export function gleu(found: readonly string[], wanted: readonly string[]): number {
  const sum = (of: (size: number) => number) => sizes.reduce((total, size) => total + of(size), 0);
  const runs = (words: readonly string[]) => sum((size) => Math.max(0, words.length - size + 1));
  const most = Math.max(runs(found), runs(wanted));
  return most === 0 ? 0 : sum((size) => sharedRuns(countRuns(found, size), countRuns(wanted, size))) / most;
}
