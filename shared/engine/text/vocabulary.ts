/** The n-grams a classifier keeps, how much each of them tells about the labels, and texts as weighted sparse rows. */

import { BucketIndex } from "./hashing.ts";
import type { NgramBag } from "./ngrams.ts";

/** All that serving needs to turn a text into a row; stored with the model. */
export interface Vocabulary {
  /** Feature hash of each weight row: [F]. */
  readonly buckets: Uint32Array;
  /** Informativeness of each feature, at least 0: [F]. */
  readonly scales: Float32Array;
}

/** One text as a sparse vector of Euclidean length 1 (or 0 if nothing in it is known). */
export interface SparseRow {
  /** Positions in the vocabulary. */
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** N-grams of tokens count twice as much as the many, overlapping ones of characters; chosen by cross-validation. */
const WORD_SCALE = 2;

/**
 * Keeps the buckets found in at least `minDocuments` bags and scales feature f by sqrt(KL(p(label | f) || p(label))): 0 if f
 * says nothing about the label, and the larger the rarer the labels it points to. It takes the place of idf, as the
 * log-count ratio does in Wang and Manning 2012 (https://aclanthology.org/P12-2018), but for any number of labels.
 * p(label | f) is smoothed with one pseudo-text distributed as the labels are. Features of a single text count `loneShare` of that.
 */
export function learnVocabulary(
  bags: readonly NgramBag[],
  labels: ArrayLike<number>,
  labelCount: number,
  minDocuments: number,
  loneShare = 1,
): Vocabulary {
  const { index, documents } = countDocuments(bags);
  const postings = groupLabels(bags, labels, index, documents);
  const priors = labelShares(labels, labelCount);
  const kept: number[] = [];
  for (let position = 0; position < index.size; position++) {
    if (documents[position]! >= minDocuments) kept.push(position);
  }
  const divergence = divergenceFrom(priors);
  return {
    buckets: Uint32Array.from(kept, (position) => index.keys[position]!),
    scales: Float32Array.from(kept, (position) => {
      const end = postings.ends[position]!;
      const block = index.keys[position]! & 1 ? 1 : WORD_SCALE;
      const share = documents[position] === 1 ? loneShare : 1;
      return block * share * Math.sqrt(divergence(postings.labels.subarray(end - documents[position]!, end)));
    }),
  };
}

/** The distinct buckets and in how many texts each occurs: what the choice of `minDocuments` needs to know. */
export function countDocuments(bags: readonly NgramBag[]): { index: BucketIndex; documents: Uint32Array } {
  const index = new BucketIndex();
  for (const bag of bags) for (const bucket of bag.buckets) index.insert(bucket);
  const documents = new Uint32Array(index.size);
  for (const bag of bags) for (const bucket of bag.buckets) documents[index.find(bucket)]! += 1;
  return { index, documents };
}

/** A function from bags to rows: value = scale * (1 + ln count), then Euclidean length 1; unknown buckets are dropped. */
export function vectorizer(vocabulary: Vocabulary): (bag: NgramBag) => SparseRow {
  const index = new BucketIndex(vocabulary.buckets.length);
  for (const bucket of vocabulary.buckets) index.insert(bucket);
  return (bag) => {
    const indices = new Uint32Array(bag.buckets.length);
    const values = new Float32Array(bag.buckets.length);
    let size = 0;
    let squares = 0;
    for (let i = 0; i < bag.buckets.length; i++) {
      const position = index.find(bag.buckets[i]!);
      const value = position < 0 ? 0 : vocabulary.scales[position]! * (1 + Math.log(bag.counts[i]!));
      if (value === 0) continue;
      indices[size] = position;
      values[size] = value;
      squares += value * value;
      size += 1;
    }
    const norm = Math.sqrt(squares);
    return { indices: indices.slice(0, size), values: values.slice(0, size).map((value) => value / norm) };
  };
}

/** The label of every text that has a feature, grouped by feature: group f ends before `ends[f]`. */
function groupLabels(
  bags: readonly NgramBag[],
  labels: ArrayLike<number>,
  index: BucketIndex,
  documents: Uint32Array,
): { labels: Uint32Array; ends: Uint32Array } {
  const ends = new Uint32Array(documents.length);
  for (let f = 1; f < ends.length; f++) ends[f] = ends[f - 1]! + documents[f - 1]!;
  const grouped = new Uint32Array(documents.reduce((total, count) => total + count, 0));
  for (const [row, bag] of bags.entries()) {
    for (const bucket of bag.buckets) {
      const feature = index.find(bucket);
      grouped[ends[feature]!] = labels[row]!;
      ends[feature]! += 1;
    }
  }
  return { labels: grouped, ends };
}

function labelShares(labels: ArrayLike<number>, labelCount: number): Float64Array {
  const shares = new Float64Array(labelCount);
  for (let row = 0; row < labels.length; row++) shares[labels[row]!]! += 1 / labels.length;
  return shares;
}

/** KL(p || priors) in nats where p is (count + prior) / (total + 1); labels not in the group share one closed form. */
function divergenceFrom(priors: Float64Array): (group: Uint32Array) => number {
  const counts = new Uint32Array(priors.length);
  return (group) => {
    const total = group.length + 1;
    for (const label of group) counts[label]! += 1;
    let sum = 0;
    let absent = 1;
    for (const label of group) {
      const count = counts[label]!;
      if (count === 0) continue;
      const prior = priors[label]!;
      const share = (count + prior) / total;
      sum += share * Math.log(share / prior);
      absent -= prior;
      counts[label] = 0;
    }
    return Math.max(0, sum - (Math.max(0, absent) / total) * Math.log(total));
  };
}
