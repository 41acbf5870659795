/** Precisions that are promised are kept, and those that the rows cannot support are not promised. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { philox } from "../../../../shared/engine/random.ts";
import type { LabelledLogits } from "../../../../shared/engine/training/evaluation.ts";
import { confidenceFor, fitThresholds } from "../../../../shared/engine/training/thresholds.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Two classes whose logits lie `gaps` apart, the second one always the answer. */
function heldRows(gaps: readonly number[], isRight: (row: number) => boolean): LabelledLogits {
  const logits = Float32Array.from(gaps.flatMap((gap) => [0, gap]));
  return { logits, labels: Int32Array.from(gaps, (_, row) => Number(isRight(row))), classes: 2 };
}

/** A model surer than it should be: the gap g, even over 0 to 8, is right with probability sigmoid(g / 2). */
function drawRows(rows: number, seed: number): LabelledLogits {
  const draws = Array.from({ length: rows }, (_, row) =>
    philox([row, 0, 0, 0], [seed, 0]).map((bits) => bits / 2 ** 32),
  );
  const gaps = draws.map(([first]) => 8 * first!);
  return heldRows(gaps, (row) => draws[row]![1]! < sigmoid(gaps[row]! / 2));
}

/** Share of right answers among those of a gap from g to 8: the integral of sigmoid(x / 2) is 2 log(1 + exp(x / 2)). */
function precisionFrom(gap: number): number {
  const integral = (x: number) => 2 * Math.log1p(Math.exp(x / 2));
  return (integral(8) - integral(gap)) / (8 - gap);
}

const gapOf = (confidence: number) => Math.log(confidence / (1 - confidence));

describe("thresholds", () => {
  it("of rows answered without a fault are as the binomial test by hand says", () => {
    const gaps = Array.from({ length: 100 }, (_, row) => 1 + row / 100);
    const fitted = fitThresholds(
      heldRows(gaps, () => true),
      1,
    );
    // 0.94 ** 100 is 0.0021, and 0.95 ** 100 is 0.0059: of 0.05 / 20 = 0.0025 only the first is less.
    assert.deepEqual(
      fitted.map(({ precision }) => precision),
      [0.94],
    );
    assert.ok(Math.abs(fitted[0]!.confidence - sigmoid(1)) < 1e-6);
    assert.equal(confidenceFor(fitted, 0.6), fitted[0]!.confidence);
    assert.equal(confidenceFor(fitted, 0.941), undefined);
  });

  it("leave out the unsure rows among which the faults are", () => {
    const gaps = Array.from({ length: 200 }, (_, row) => 0.1 + row / 100);
    const fitted = fitThresholds(
      heldRows(gaps, (row) => row >= 40 || row % 2 === 0),
      1,
    );
    // 0.96 ** 160 is 0.0015; with the rows below 40 there are faults.
    assert.ok(Math.abs(confidenceFor(fitted, 0.96)! - sigmoid(0.5)) < 1e-6);
    assert.ok(Math.abs(confidenceFor(fitted, 0.8)! - sigmoid(0.1)) < 1e-6);
  });

  it("are those of the probabilities at the temperature", () => {
    const gaps = Array.from({ length: 100 }, () => 3);
    const fitted = (temperature: number) =>
      fitThresholds(
        heldRows(gaps, () => true),
        temperature,
      );
    assert.ok(Math.abs(fitted(2)[0]!.confidence - sigmoid(1.5)) < 1e-6);
  });

  it("rise with the precision", () => {
    const fitted = fitThresholds(drawRows(3000, 5), 1);
    assert.ok(fitted.length > 5, `${fitted.length} thresholds`);
    for (const [i, { precision, confidence }] of fitted.slice(1).entries()) {
      assert.ok(precision > fitted[i]!.precision && confidence > fitted[i]!.confidence);
    }
  });

  it("keep their promise in at least 95 of 100 draws of the rows, and are not far more timid than they must be", () => {
    for (const [precision, often] of [
      [0.85, 200],
      [0.9, 100],
    ] as const) {
      const found = Array.from({ length: 300 }, (_, seed) =>
        confidenceFor(fitThresholds(drawRows(300, seed), 1), precision),
      );
      const broken = found.filter((confidence) => confidence && precisionFrom(gapOf(confidence)) < precision);
      assert.ok(broken.length <= 15, `${broken.length} of 300 promises of ${precision} broken`);
      assert.ok(found.filter(Boolean).length > often, `${found.filter(Boolean).length} found for ${precision}`);
    }
    const many = gapOf(confidenceFor(fitThresholds(drawRows(20_000, 1), 1), 0.9)!);
    assert.ok(precisionFrom(many) >= 0.9 && precisionFrom(many - 0.8) < 0.9, `gap ${many}`);
  });

  it("are none without rows, and none where answers are no better than chance", () => {
    assert.deepEqual(
      fitThresholds(
        heldRows([], () => true),
        1,
      ),
      [],
    );
    const even = heldRows(
      Array.from({ length: 500 }, (_, row) => row / 100),
      (row) => row % 2 === 0,
    );
    assert.deepEqual(fitThresholds(even, 1), []);
  });

  it("treat rows of equal confidence as one", () => {
    // Half of two hundred equal rows are wrong: whichever of them a sort puts first.
    const equal = heldRows(new Array(200).fill(2), (row) => row < 100);
    assert.deepEqual(fitThresholds(equal, 1), []);
  });
});
