/** Labels' names: how they are said, when they are believed, and what they are worth to a head that saw few rows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { normals } from "../../../../shared/engine/index.ts";
import { expectedWeights, products, spokenName } from "../../../../shared/engine/models/labelNames.ts";
import { fitHead, headLogits } from "../../../../shared/engine/models/logisticHead.ts";

const [width, classes] = [24, 4];
const names = normals(classes * width, { seed: 1 });

/** Rows near their labels' names, in noise of four times their length. */
function drawn(perLabel: number, seed: number) {
  const labels = Int32Array.from({ length: perLabel * classes }, (_, row) => row % classes);
  const vectors = normals(labels.length * width, { seed, deviation: 4 });
  for (let i = 0; i < vectors.length; i++)
    vectors[i]! += 2 * names[labels[Math.floor(i / width)]! * width + (i % width)]!;
  return { vectors, labels };
}

function accuracyOf(logits: Float32Array, labels: Int32Array): number {
  const right = (label: number, row: number) => {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    return own[label] === Math.max(...own);
  };
  return labels.filter(right).length / labels.length;
}

describe("a label's name", () => {
  it("is said in words", () => {
    const said = ["card_arrival", "Sci/Tech", "cardArrival", "hate-speech", "好评", "don't care", "7"].map(spokenName);
    assert.deepEqual(said, ["card arrival", "sci tech", "card arrival", "hate speech", "好评", "don't care", "7"]);
  });

  it("is believed where names tell rows apart, and not where labels have each other's", () => {
    const rows = drawn(20, 2);
    const expected = expectedWeights({ ...rows, names, width })!;
    assert.ok(accuracyOf(products(rows.vectors, expected, width), rows.labels) > 0.6);
    const exchanged = rows.labels.map((label) => (label + 1) % classes);
    assert.equal(expectedWeights({ ...rows, labels: exchanged, names, width }), undefined);
  });

  it("says nothing where all labels are called alike", () => {
    const same = Float32Array.from({ length: classes * width }, (_, i) => names[i % width]!);
    assert.equal(expectedWeights({ ...drawn(20, 2), names: same, width }), undefined);
  });

  it("is worth rows to a head that has few", async () => {
    const [few, asked] = [drawn(2, 3), drawn(100, 4)];
    const options = { width, classes, strength: 3, seed: 1, threads: 1 };
    const [own, named] = [await fitHead(few, options), await fitHead(few, { ...options, names })];
    const accuracy = (head: typeof own) => accuracyOf(headLogits(head, asked.vectors), asked.labels);
    assert.ok(accuracy(named) > accuracy(own) + 0.05, `${accuracy(named)} against ${accuracy(own)}`);
  });
});
