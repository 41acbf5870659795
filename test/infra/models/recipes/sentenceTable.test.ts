/** A table of tokens that is learned from what is said of sentences. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sentenceTable } from "../../../../infra/models/recipes/sentenceTable.ts";
import { normals, permutation } from "../../../../shared/engine/index.ts";

const [tokens, width, count] = [60, 8, 3000];
const known = normals(tokens * width, { seed: 1 });
/** Of five tokens each; the last token is in none. */
const sentences = Array.from({ length: count }, (_, row) => permutation(tokens - 1, 2, row).slice(0, 5));
const encoded = (noise: number) => {
  const data = normals(count * width, { seed: 3, deviation: noise });
  for (const [row, ids] of sentences.entries()) {
    for (const id of ids) for (let i = 0; i < width; i++) data[row * width + i]! += known[id * width + i]! / 5;
  }
  return { width, data };
};

describe("a table learned from sentences", () => {
  it("foretells what is said of others", () => {
    const { rows, explained } = sentenceTable({ sentences, encoded: encoded(0), tokens, count: width });
    assert.ok(explained > 0.95, `${explained}`);
    assert.ok(rows.data.subarray((tokens - 1) * width).every((value) => value === 0));
  });

  it("says how little that is where words do not say it", () => {
    const { explained } = sentenceTable({ sentences, encoded: encoded(2), tokens, count: width });
    assert.ok(explained < 0.3, `${explained}`);
  });
});
