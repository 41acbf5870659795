/** What the recipe of millrace-ngram promises: sizes decide, within bounds. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  epochs,
  learningRateAt,
  loneShare,
  marginFor,
  minDocuments,
  peakLearningRate,
} from "../../../../shared/engine/models/ngram.recipe.ts";

const row = (...values: number[]) => ({ indices: Uint32Array.from(values.keys()), values: Float32Array.from(values) });

describe("the recipe of millrace-ngram", () => {
  it("passes over small sets 8 times and over very large ones 3 times", () => {
    assert.deepEqual([1, 10_000, 40_000, 1_000_000].map(epochs), [8, 8, 5, 3]);
  });

  it("divides the rate by the root of the mean L1 norm, and takes a set without features", () => {
    assert.ok(Math.abs(peakLearningRate([row(1, 3), row(2, 2)], 2) - 0.035 / 2) < 1e-9);
    assert.equal(peakLearningRate([], 2), 0.035);
  });

  it("asks for no lead where there is one label, and for more the more there are", () => {
    assert.deepEqual([1, Math.E].map(marginFor), [0, 1]);
  });

  it("trusts what one text alone has the less the more texts there are", () => {
    assert.deepEqual([0, 8, 3000, 6000, 1_000_000].map(loneShare), [1, 1, 1, 0.25, 0.25]);
    assert.ok(loneShare(4000) < 1 && loneShare(4000) > 0.25);
  });

  it("falls linearly to 0", () => {
    assert.deepEqual(
      [5, 10].map((step) => learningRateAt(step, 10, 1)),
      [0.5, 0],
    );
  });

  it("drops the rarest features only when the model would pass 12 MiB", () => {
    const documents = new Uint32Array(300_000).fill(1).fill(2, 0, 40_000).fill(3, 0, 10_000);
    assert.equal(minDocuments(documents, 2), 1);
    assert.equal(minDocuments(documents, 100), 2);
    assert.equal(minDocuments(documents, 500), 3);
    assert.ok(minDocuments(documents, 1_000_000) > 3);
  });
});
