/** Weights by path, and losses against arithmetic in float64. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accuracy,
  crossEntropy,
  input,
  linear,
  meanPooling,
  WeightError,
  WeightScope,
} from "../../../shared/engine/index.ts";
import { evaluate, numbers, tensor } from "./run.ts";

const x = input("x", ["batch", 3]);

describe("a weight scope", () => {
  const known = new Map([
    ["encoder.dense.weight", [2, 3]],
    ["encoder.dense.bias", [4]],
  ]);

  it("names a weight that is missing or of another shape, with what was expected and what is there", () => {
    const scope = new WeightScope(known).scope("encoder");
    const dense = scope.scope("dense");
    assert.throws(
      () => dense.get("weight", [3, 3]),
      (error) =>
        error instanceof WeightError && error.message === 'weight "encoder.dense.weight" is [2, 3], not [3, 3]',
    );
    assert.throws(() => scope.get("gain", [2]), /weight "encoder.gain" \[2\] is not in the checkpoint/);
    assert.throws(() => linear(dense, x, 3, 2), /"encoder.dense.bias" is \[4\], not \[2\]/);
  });

  it("gives one node per weight and remembers them in order", () => {
    const scope = new WeightScope();
    const [a, again] = [scope.scope("layer.0").get("weight", [2]), scope.scope("layer").scope("0").get("weight", [2])];
    scope.get("other", [1]);
    assert.equal(a, again);
    assert.deepEqual(
      scope.parameters.map(({ name }) => name),
      ["layer.0.weight", "other"],
    );
    assert.throws(() => scope.get("layer.0.weight", [3]), /asked for as \[2\] and now as \[3\]/);
  });

  it("multiplies by a weight as PyTorch stores it, [outputs, inputs]", async () => {
    const y = linear(new WeightScope(), x, 3, 2);
    const feeds = {
      x: tensor([1, 3], [1, 2, 3]),
      weight: tensor([2, 3], [1, 0, 0, 0, 1, 1]),
      bias: tensor([2], [0.5, -0.5]),
    };
    assert.deepEqual(numbers((await evaluate({ y }, feeds)).y), [1.5, 4.5]);
  });
});

describe("losses and pooling", () => {
  const labels = input("labels", ["batch"], "int32");
  const weights = input("weights", ["batch"]);
  const rows = [
    [1, 2, 0.5],
    [-1, 0, 3],
    [4, 1, 1],
  ];
  const wanted = [1, 0, 0];
  const feeds = {
    x: tensor([3, 3], rows.flat()),
    labels: tensor([3], Int32Array.from(wanted)),
    weights: tensor([3], [1, 3, 0]),
  };
  const losses = rows.map(
    (row, i) => Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[wanted[i]!]!,
  );

  it("average the cross-entropy over rows, or by weight", async () => {
    const results = await evaluate(
      { plain: crossEntropy(x, labels), weighted: crossEntropy(x, labels, weights) },
      feeds,
    );
    assert.ok(Math.abs(numbers(results.plain)[0]! - losses.reduce((sum, loss) => sum + loss, 0) / 3) < 1e-6);
    assert.ok(Math.abs(numbers(results.weighted)[0]! - (losses[0]! + 3 * losses[1]!) / 4) < 1e-6);
  });

  it("count the rows whose label wins", async () => {
    const results = await evaluate({ plain: accuracy(x, labels), weighted: accuracy(x, labels, weights) }, feeds);
    assert.ok(Math.abs(numbers(results.plain)[0]! - 2 / 3) < 1e-6);
    assert.equal(numbers(results.weighted)[0], 0.25);
  });

  it("average the states of tokens, not of padding", async () => {
    const states = input("states", ["batch", "sequence", 2]);
    const mask = input("mask", ["batch", "sequence"], "int32");
    const y = meanPooling(states, mask);
    const found = await evaluate(
      { y },
      { states: tensor([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), mask: tensor([2, 2], Int32Array.of(1, 1, 1, 0)) },
    );
    assert.deepEqual(numbers(found.y), [2, 3, 5, 6]);
  });
});
