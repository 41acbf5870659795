/** What n-grams of all other rows make of each row: probabilities that no row's own label had a part in. */
import { stratifiedFolds } from "../engine/race/folds.ts";
import { type NgramBag, ngrams } from "../engine/text/ngrams.ts";
import { countDocuments, learnVocabulary, vectorizer } from "../engine/text/vocabulary.ts";
import { fitSoftmax } from "./softmaxRegression.ts";

export interface LabelledTexts {
  readonly texts: readonly string[];
  /** Places among the classes. */
  readonly labels: Int32Array;
  readonly classes: number;
}

export interface FoldOptions {
  readonly folds?: number;
  readonly epochs?: number;
  readonly rate?: number;
  readonly seed?: number;
}

/** Weights of a model, float32: as many as fit into some 100 MB. */
const mostWeights = 24_000_000;

/** float32, row-major [rows, classes]. */
export function outOfFold(
  { texts, labels, classes }: LabelledTexts,
  { folds = 5, epochs = 5, rate = 0.5, seed = 1 }: FoldOptions = {},
): Float32Array {
  const bags = texts.map(ngrams);
  const found = new Float32Array(texts.length * classes);
  for (const held of stratifiedFolds(labels, Math.min(folds, texts.length), seed)) {
    const isHeld = new Set(held);
    const others = bags
      .keys()
      .filter((row) => !isHeld.has(row))
      .toArray();
    const own = Int32Array.from(others, (row) => labels[row]!);
    const trained = others.map((row) => bags[row]!);
    const vocabulary = learnVocabulary(trained, own, classes, leastDocuments(trained, classes));
    const toRow = vectorizer(vocabulary);
    const model = fitSoftmax(trained.map(toRow), own, {
      features: vocabulary.buckets.length,
      classes,
      epochs,
      rate,
      seed,
    });
    for (const row of held) found.set(model.probabilities(toRow(bags[row]!)), row * classes);
  }
  return found;
}

/** What is in one text alone says nothing of another; more than that only where the weights would not fit. */
function leastDocuments(bags: readonly NgramBag[], classes: number): number {
  const documents = countDocuments(bags).documents;
  for (let least = 2; ; least *= 2) {
    const kept = documents.reduce((sum, count) => sum + Number(count >= least), 0);
    if (kept * classes <= mostWeights) return least;
  }
}
