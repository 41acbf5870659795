/** What the vocabulary promises: informative features weigh more, rows have length 1, unknown features are dropped. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BucketIndex } from "../../../../shared/engine/text/hashing.ts";
import type { NgramBag } from "../../../../shared/engine/text/ngrams.ts";
import { countDocuments, learnVocabulary, vectorizer } from "../../../../shared/engine/text/vocabulary.ts";

const bag = (...buckets: number[]): NgramBag => ({
  buckets: Uint32Array.from(buckets),
  counts: new Float32Array(buckets.length).fill(1),
  tokens: buckets.length,
});
const everywhere = 2;
const onlyFirstLabel = 4;
const rare = 6;
const bags = [bag(everywhere, onlyFirstLabel), bag(everywhere, onlyFirstLabel), bag(everywhere), bag(everywhere, rare)];
const labels = [0, 0, 1, 1];

describe("learnVocabulary", () => {
  it("scales a feature by sqrt(KL(p(label | feature) || p(label))), words twice", () => {
    const { buckets, scales } = learnVocabulary(bags, labels, 2, 1);
    const smoothed = [2.5 / 3, 0.5 / 3];
    const divergence = smoothed.reduce((sum, share) => sum + share * Math.log(share / 0.5), 0);
    assert.deepEqual([...buckets], [everywhere, onlyFirstLabel, rare]);
    assert.ok(Math.abs(scales[0]!) < 1e-6);
    assert.ok(Math.abs(scales[1]! - 2 * Math.sqrt(divergence)) < 1e-6);
  });

  it("gives a character n-gram half the scale of a word n-gram", () => {
    const { scales } = learnVocabulary([bag(8, 9), bag(10)], [0, 1], 2, 1);
    assert.ok(Math.abs(scales[0]! - 2 * scales[1]!) < 1e-6);
  });

  it("keeps only features of enough documents", () => {
    assert.deepEqual([...learnVocabulary(bags, labels, 2, 2).buckets], [everywhere, onlyFirstLabel]);
  });

  it("counts features of one text by the share that is asked for, and leaves the others", () => {
    const [all, half] = [1, 0.5].map((share) => learnVocabulary(bags, labels, 2, 1, share).scales);
    assert.deepEqual([...half!], [all![0], all![1], all![2]! / 2]);
  });

  it("takes labels without a row", () => {
    assert.ok(learnVocabulary(bags, labels, 5, 1).scales.every(Number.isFinite));
  });
});

describe("countDocuments", () => {
  it("counts texts, not occurrences", () => {
    assert.deepEqual([...countDocuments(bags).documents], [4, 2, 1]);
  });
});

describe("vectorizer", () => {
  const vectorize = vectorizer({ buckets: Uint32Array.of(2, 5), scales: Float32Array.of(3, 4) });

  it("gives rows of Euclidean length 1", () => {
    const row = vectorize(bag(5, 2));
    assert.deepEqual([...row.indices], [1, 0]);
    assert.deepEqual([...row.values], [Math.fround(0.8), Math.fround(0.6)]);
  });

  it("damps repetitions by 1 + ln count", () => {
    const row = vectorize({ buckets: Uint32Array.of(2, 5), counts: Float32Array.of(Math.E, 1), tokens: 3 });
    assert.ok(Math.abs(row.values[0]! / row.values[1]! - 6 / 4) < 1e-6);
  });

  it("drops unknown features, to an empty row if there is no other", () => {
    assert.deepEqual([...vectorize(bag(2, 7)).indices], [0]);
    assert.equal(vectorize(bag(7)).values.length, 0);
  });
});

describe("BucketIndex", () => {
  it("finds colliding buckets and hands out positions in order of insertion", () => {
    const index = new BucketIndex(4);
    assert.deepEqual(
      [16, 0, 2 ** 32 - 1, 16].map((bucket) => index.insert(bucket)),
      [0, 1, 2, 0],
    );
    assert.deepEqual([...index.keys], [16, 0, 2 ** 32 - 1]);
    assert.equal(index.find(32), -1);
  });

  it("keeps every position when it outgrows its capacity", () => {
    const index = new BucketIndex(1);
    const buckets = Array.from({ length: 1000 }, (_, i) => i * 4096);
    for (const bucket of buckets) index.insert(bucket);
    assert.deepEqual(
      buckets.map((bucket) => index.find(bucket)),
      [...buckets.keys()],
    );
  });
});
